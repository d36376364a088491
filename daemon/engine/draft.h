// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/config.h"
#include "engine/node_builder.h"
#include "engine/prepared_transaction.h"
#include "engine/spare_processors.h"
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

/// Validates a parameter change. A relative one applies to the value in the graph. Errors: INVALID_ARGUMENT, NOT_FOUND.
/// [control]
[[nodiscard]] Expected<ParameterChange> check_change(const AudioGraph& graph, const SetParameter& edit);
/// Validates changes that are applied in order, each to the result of the previous ones. Errors have the index. [control]
[[nodiscard]] Expected<std::vector<ParameterChange>> check_changes(const AudioGraph& graph,
                                                                   std::span<const SetParameter> edits);
/// Checks the values that the nodes would have together after all changes, each of which is valid. Errors:
/// INVALID_ARGUMENT, with the index of the last change of the node. [control]
[[nodiscard]] Expected<void> check_together(const AudioGraph& graph, std::span<const ParameterChange> changes);

/// A node whose type checks the values of its parameters together, and the last edit that may have made them invalid.
struct CheckedNode {
    NodeId id;
    std::size_t edit_index;
};

/// A node that a draft adds.
struct AddedNode {
    NodeId id;
    std::shared_ptr<NodeInstance> instance;  ///< null: not built yet
    std::size_t edit_index = 0;
    std::size_t node_index = 0;  ///< among the nodes of its edit
};

/// A node of a draft that must be built. Which settings a node needs that ChangeSettings replaces is known only in the
/// graph to which the edit applies.
struct MissingNode {
    std::size_t edit_index;
    std::size_t node_index;  ///< among the nodes of its edit
    std::shared_ptr<const NodeDescription> description;
};

/// A copy of the graph to which edits are applied, so that a failed transaction leaves the graph unchanged. One thread
/// may use it at a time.
struct Draft {
    AudioGraph graph;
    std::uint64_t next_id;           ///< id of the next node added
    const NodeInstances* instances;  ///< those of the original graph
    GraphLimits limits;
    GraphSize before;                           ///< of the original graph
    std::vector<AddedNode> added = {};          ///< by id; some may have been removed again
    std::vector<ParameterChange> changes = {};  ///< in the order of the edits
    std::vector<RelativeChange> relative = {};  ///< those of `changes` that were relative
    std::vector<NodeId> renamed = {};
    /// Nodes that edits have removed, by their names and types.
    std::map<std::pair<std::string, const NodeType*>, NodeIdentity> removed = {};
    // What edits have set, whether or not it had that value before.
    std::vector<ConnectionKey> connected = {};
    bool joins = false;  ///< some of `connected` did not exist before: the graph may have a cycle
    std::optional<bool> compensated = {};
    Describe described = {};                ///< the title and the description of the graph
    std::vector<CheckedNode> checked = {};  ///< see check_together()
    std::size_t too_large_from = 0;         ///< the edit from which on the graph exceeds a limit, if it does

    /// Applies edit number `index` with the nodes that were built for it. After an error the draft must be discarded.
    Expected<void> apply(const Edit& edit, std::size_t index, std::span<const PreparedNode> nodes);
    /// Replaces a node by one of the same name, with the instance's description.
    Expected<void> replace(std::shared_ptr<NodeInstance> instance, std::size_t edit_index = 0);
    /// Assigns an id to a new node, which may be built later.
    NodeId add(std::shared_ptr<NodeInstance> instance, std::size_t edit_index, std::size_t node_index);
    /// Adds the node to `checked` if its type requires it.
    void check_later(NodeId id, std::size_t edit_index);
    /// Checks the values of the nodes in `checked`. Call it after the last edit: the edits of a transaction may set the
    /// values one by one. Errors: INVALID_ARGUMENT, with the edit.
    [[nodiscard]] Expected<void> check_together() const;
    /// Returns the nodes of the graph that must be built before the draft is compiled.
    [[nodiscard]] std::vector<MissingNode> missing() const;

    [[nodiscard]] std::shared_ptr<NodeInstance> instance(NodeId id) const;
    /// Returns the latency of each node, in the order of the graph; empty if the graph does not compensate latencies.
    [[nodiscard]] std::vector<std::uint32_t> latencies() const;
    /// Renames the instances of renamed nodes. Call it before compiling: signals are summed in the order of their
    /// sources' names.
    void rename_instances() const;
};

/// A transaction and the nodes that its edits add. Any thread may destroy it: the draft shares nodes with the snapshot
/// only, and is destroyed before it.
struct PreparedEdits {
    Transaction transaction;
    std::vector<std::vector<PreparedNode>> nodes;  ///< one entry for each edit
    std::vector<SetParameter> last;                ///< applied after the edits; see PreparedTransaction::set_last()
    std::vector<RelativeChange> relative;          ///< of the commit
    std::vector<std::string> kept;                 ///< nodes whose earlier processors the commit has put back
    std::vector<MissingNode> missing;              ///< found when the edits were applied last
    std::shared_ptr<SpareProcessors> spares;       ///< used before others are built; may be null
    std::size_t built = 0;                         ///< processors, without the spare ones
    SharedGraphSnapshot snapshot;                  ///< to which a worker applies the edits; null: commit() does
    std::optional<Draft> draft;                    ///< of the snapshot; not compared with the present graph
    std::unordered_set<std::string_view> names;    ///< in the edits, which own them; of nodes; if there is a draft
};

/// Returns the limits of a transaction. [any]
[[nodiscard]] inline GraphLimits limits_of(const Transaction& transaction, const EngineConfig& config) {
    return transaction.exempt ? GraphLimits::widest() : config.limits;
}

/// The state from which drafts are copied.
struct DraftOrigin {
    const AudioGraph& graph;
    std::uint64_t next_id;
    const NodeInstances& instances;  ///< the nodes of `graph`
    GraphLimits limits;
    double (*thread_time_s)() = nullptr;  ///< limits the time that the edits take; null: no limit

    [[nodiscard]] Draft draft() const {
        return {.graph = graph, .next_id = next_id, .instances = &instances, .limits = limits, .before = graph.size()};
    }
};

/// Returns a draft with all edits applied. Builds nothing: see Draft::missing(). Errors identify the edit that failed,
/// that makes the graph exceed a limit, that closes a cycle, or, among at most 32 edits, that requires compensating
/// delays over the limit. [control]
[[nodiscard]] Expected<Draft> apply_edits(const DraftOrigin& origin, const PreparedEdits& edits);

/// Checks that compensating delays take no more memory than `limits` allow, or than those of the original graph take
/// already. Errors: FAILED_PRECONDITION. [any]
[[nodiscard]] Expected<void> check_delays(std::uint64_t samples, const GraphLimits& limits,
                                          const std::function<std::uint64_t()>& samples_before);
/// Checks those of a draft of `origin`. [control]
[[nodiscard]] Expected<void> check_delays(const Draft& draft, const DraftOrigin& origin);

/// Returns the names of nodes in the edits. [any]
[[nodiscard]] std::unordered_set<std::string_view> names_in(const Transaction& transaction);

/// Applies the edits to the snapshot of `edits`. Errors as those of apply_edits(), without the limit of compensating
/// delays, which depends on latencies; and INVALID_ARGUMENT if the edits take more processor time than kMaximumEditS:
/// other clients wait for the worker. [any]
[[nodiscard]] Expected<Draft> apply_to_snapshot(const PreparedEdits& edits, const EngineConfig& config);

/// Applies the differences between the snapshot and its draft to the present graph. Takes time by the sizes of the
/// graphs, and a little for each parameter and connection that the edits set. The result is the same as if the edits,
/// with the names in them, had been applied to the present graph: clients follow the graph in that way. ABORTED: the
/// edits must be applied again, because other clients have changed the same nodes, or because they replace the graph
/// and it has changed at all, or because the graph exceeds a limit together with what they have added.
/// FAILED_PRECONDITION: compensating delays over the limit. [control]
[[nodiscard]] Expected<Draft> carry_over(const PreparedEdits& edits, const DraftOrigin& origin);

}  // namespace rta
