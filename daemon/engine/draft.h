// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/node_builder.h"
#include "engine/prepared_transaction.h"
#include "graph/audio_graph.h"
#include "graph/edit.h"
#include "plan/node_instance.h"
#include "text/error.h"

namespace rta {

/// Keyed by NodeId::value().
using NodeInstances = std::unordered_map<std::uint64_t, std::shared_ptr<NodeInstance>>;

/// Processor time that applying the edits of a transaction may take.
inline constexpr double kMaximumEditS = 2.0;

/// A valid change of a parameter, in the parameter's own unit.
struct ParameterChange {
    NodeId node;
    std::uint32_t parameter;
    float value;
    float ramp_ms;
};

/// Validates a parameter change. Errors: INVALID_ARGUMENT, NOT_FOUND. [control]
[[nodiscard]] Expected<ParameterChange> check_change(const AudioGraph& graph, const SetParameter& edit);

/// A node that a ChangeSettings edit replaces: which settings it needs is known only in the graph to which it applies.
struct UnbuiltNode {
    std::size_t edit_index;
    std::shared_ptr<const NodeDescription> description;
};

/// A transaction and the nodes that its edits add.
struct PreparedEdits {
    Transaction transaction;
    std::vector<std::vector<PreparedNode>> nodes;  ///< one entry for each edit
    std::vector<UnbuiltNode> unbuilt;              ///< found when the edits were applied last
};

/// A copy of the graph to which edits are applied, so that a failed transaction leaves the graph unchanged. [control]
struct Draft {
    AudioGraph graph;
    std::uint64_t next_id;                                  ///< id of the next node added
    const NodeInstances* instances;                         ///< those of the original graph
    std::vector<std::shared_ptr<NodeInstance>> added = {};  ///< by id
    std::vector<ParameterChange> changes = {};              ///< of nodes of the original graph
    std::vector<NodeId> renamed = {};
    /// Nodes of the graph without an instance: they must be built, and the edits applied again, before this is
    /// compiled.
    std::vector<UnbuiltNode> unbuilt = {};

    /// Applies edit number `index` with the nodes that were built for it. After an error the draft must be discarded.
    Expected<void> apply(const Edit& edit, std::size_t index, std::span<const PreparedNode> nodes);
    /// Replaces a node by one of the same name, with the instance's description.
    Expected<void> replace(std::shared_ptr<NodeInstance> instance);
    /// Assigns an id to a new node. Null: one that is not built, in a draft that is only validated.
    NodeId add(std::shared_ptr<NodeInstance> instance);

    [[nodiscard]] std::shared_ptr<NodeInstance> instance(NodeId id) const;
    /// Returns the latency of each node, in the order of the graph; empty if the graph does not compensate latencies.
    [[nodiscard]] std::vector<std::uint32_t> latencies() const;
    /// Renames the instances of renamed nodes. Call it before compiling: signals are summed in the order of their
    /// sources' names.
    void rename_instances() const;
};

/// The state from which drafts are copied.
struct DraftOrigin {
    const AudioGraph& graph;
    std::uint64_t next_id;
    const NodeInstances& instances;       ///< the nodes of `graph`
    double (*thread_time_s)() = nullptr;  ///< limits the time that the edits take; null: no limit

    [[nodiscard]] Draft draft() const { return {.graph = graph, .next_id = next_id, .instances = &instances}; }
};

/// Returns a draft with all edits applied. Builds nothing: nodes that are missing are listed in Draft::unbuilt. Errors
/// identify the edit that failed, that closes a cycle, or, among at most 1,000 edits, that requires compensating delays
/// over the limit. [control]
[[nodiscard]] Expected<Draft> apply_edits(const DraftOrigin& origin, const PreparedEdits& edits);

/// Validates the edits as apply_edits() does, except for the limit of compensating delays, which depends on latencies.
/// No node needs to be built. Returns the nodes that ChangeSettings edits replace. INVALID_ARGUMENT also if the edits
/// take more processor time than kMaximumEditS: the control thread, which applies them again, must not be blocked for
/// longer. [any]
[[nodiscard]] Expected<std::vector<UnbuiltNode>> validate_edits(const GraphSnapshot& snapshot,
                                                                const PreparedEdits& edits, double (*thread_time_s)());

}  // namespace rta
