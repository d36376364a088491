// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/node_builder.h"
#include "graph/audio_graph.h"
#include "graph/edit.h"
#include "plan/node_instance.h"
#include "text/error.h"

namespace rta {

/// By id.
using NodeInstances = std::unordered_map<std::uint64_t, std::shared_ptr<NodeInstance>>;

/// A parameter change of a node of the graph, in the parameter's own unit.
struct ParameterChange {
    NodeId node;
    std::uint32_t parameter;
    float value;
    float ramp_ms;
};

/// INVALID_ARGUMENT, NOT_FOUND: what is wrong with the change.
[[nodiscard]] Expected<ParameterChange> check_change(const AudioGraph& graph, const SetParameter& edit);

/// A transaction and the nodes that its edits bring along.
struct PreparedEdits {
    Transaction transaction;
    std::vector<std::vector<PreparedNode>> nodes;  ///< of each edit
};

/// A copy of the graph on which edits are tried, and what they bring along: whatever is wrong leaves the graph as it
/// was. [control]
struct Draft {
    AudioGraph graph;
    std::uint64_t next_id;                                  ///< of the next node
    const NodeInstances* instances;                         ///< of the nodes that were there before
    std::vector<std::shared_ptr<NodeInstance>> added = {};  ///< by id
    std::vector<ParameterChange> changes = {};              ///< of nodes that were there before
    std::vector<NodeId> renamed = {};

    /// Makes one edit. After an error the draft is of no use.
    Expected<void> apply(const Edit& edit, std::span<const PreparedNode> nodes, const NodeBuilder& builder);
    /// Gives a new node its id.
    NodeId add(std::shared_ptr<NodeInstance> instance);

    [[nodiscard]] std::shared_ptr<NodeInstance> instance(NodeId id) const;
    /// Of all nodes, in the graph's order; empty where nobody compensates them.
    [[nodiscard]] std::vector<std::uint32_t> latencies() const;
    /// Tells those that were renamed. Before compiling: signals are summed in the order of their sources' names.
    void rename_instances() const;
};

/// What drafts are copied from.
struct DraftOrigin {
    const AudioGraph& graph;
    std::uint64_t next_id;
    const NodeInstances& instances;  ///< of the graph's nodes

    [[nodiscard]] Draft draft() const { return {.graph = graph, .next_id = next_id, .instances = &instances}; }
};

/// A draft with all edits made, free of cycles, its latencies compensated where that is asked for. Errors name the edit
/// at fault. [control]
[[nodiscard]] Expected<Draft> edited(const DraftOrigin& origin, const PreparedEdits& edits, const NodeBuilder& builder);

}  // namespace rta
