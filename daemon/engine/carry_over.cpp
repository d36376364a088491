// SPDX-License-Identifier: MIT
// carry_over() of draft.h.
#include <algorithm>
#include <cassert>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "engine/draft.h"
#include "plan/latency.h"

namespace rta {
namespace {

/// Returns whether a parameter that the draft changes relatively has another value than in the snapshot.
bool relative_to_another_value(const Draft& draft, const AudioGraph& snapshot, const AudioGraph& present) {
    return std::ranges::any_of(draft.relative, [&](const RelativeChange& change) {
        const GraphNode* const before = snapshot.find(change.node);
        const GraphNode* const now = present.find(change.node);
        if (before == nullptr) return false;  // added by the draft
        return now == nullptr || now->parameters[change.parameter] != before->parameters[change.parameter];
    });
}

/// A node that ChangeSettings has replaced in a draft keeps the values of its parameters, also those that other clients have
/// set since the snapshot. Returns false if the new settings do not accept one of them.
bool keep_values_of_others(const PreparedEdits& edits, const AudioGraph::IdShift& shift, const AudioGraph& present,
                           Draft& result) {
    std::map<NodeIdentity, const GraphNode*> replaced;  // as in the draft
    for (const AddedNode& added : edits.draft->added) {
        if (!std::holds_alternative<ChangeSettings>(edits.transaction.edits[added.edit_index])) continue;
        if (const GraphNode* const node = edits.draft->graph.find(added.id)) replaced.emplace(node->identity, node);
    }
    if (replaced.empty()) return true;
    for (const auto& before : edits.snapshot->graph.nodes()) {
        const auto found = replaced.find(before->identity);
        const GraphNode* const now = found != replaced.end() ? present.find(before->id) : nullptr;
        if (now == nullptr || now == before.get()) continue;
        const GraphNode& after = *found->second;
        const auto& parameters = before->description->layout.parameters;
        for (std::uint32_t p = 0; p < parameters.size(); ++p) {
            const auto index = after.description->layout.find_parameter(parameters[p].name);
            const float value = now->parameters[p];
            if (!index || value == before->parameters[p] || after.parameters[*index] != before->parameters[p]) continue;
            if (!check_parameter(after.description->layout.parameters[*index], value, after.name())) return false;
            result.graph.set_parameter({shift.apply(after.id), *index}, value);
        }
    }
    return true;
}

/// Applies the changes that follow the edits.
bool apply_last(std::span<const SetParameter> last, Draft& result) {
    return std::ranges::all_of(last, [&](const SetParameter& edit) {
        const auto change = check_change(result.graph, edit);
        if (!change) return false;
        result.changes.push_back(*change);
        result.check_later(change->node, 0);
        result.graph.set_parameter({change->node, change->parameter}, change->value);
        return true;
    });
}

}  // namespace

Expected<Draft> carry_over(const PreparedEdits& edits, const DraftOrigin& origin) {
    const GraphSnapshot& snapshot = *edits.snapshot;
    const Draft& draft = *edits.draft;
    const auto conflict = [] { return fail(ErrorCode::aborted, "other clients have changed the same nodes"); };
    if (edits.transaction.replaces_graph() && !std::ranges::equal(snapshot.graph.nodes(), origin.graph.nodes()))
        return conflict();

    const auto is_named = [&](std::string_view name) { return edits.names.contains(name); };
    if (std::ranges::any_of(origin.graph.names_changed_since(snapshot.graph), is_named)) return conflict();
    if (relative_to_another_value(draft, snapshot.graph, origin.graph)) return conflict();

    Draft result = origin.draft();
    const AudioGraph::IdShift shift{NodeId{snapshot.next_id}, origin.next_id - snapshot.next_id};
    if (!result.graph.merge(snapshot.graph, draft.graph, shift)) return conflict();
    if (!keep_values_of_others(edits, shift, origin.graph, result)) return conflict();
    result.next_id = draft.next_id + shift.count;
    result.added = draft.added;
    for (AddedNode& node : result.added) {
        node.id = shift.apply(node.id);
        if (node.instance != nullptr) node.instance->assign_id(node.id);
    }
    result.renamed = draft.renamed;
    for (NodeId& id : result.renamed) id = shift.apply(id);
    result.changes = draft.changes;
    for (ParameterChange& change : result.changes) {
        change.node = shift.apply(change.node);
        result.graph.set_parameter({change.node, change.parameter}, change.value);
    }
    if (!apply_last(edits.last, result)) return conflict();
    for (const CheckedNode& entry : draft.checked) result.checked.push_back({shift.apply(entry.id), entry.edit_index});
    result.relative = draft.relative;
    for (RelativeChange& change : result.relative) change.node = shift.apply(change.node);
    if (!result.check_together()) return conflict();
    for (const ConnectionKey& key : draft.connected) {
        const IncomingConnection* const connection = draft.graph.find(key);
        const bool exists = result.graph.find(shift.apply(key)) != nullptr;
        if (exists != (connection != nullptr)) return conflict();
        if (exists) result.graph.set_gain(shift.apply(key), connection->gain_db);
    }
    [[maybe_unused]] const auto good =
        result.graph.set_annotation(described(result.graph.annotation(), draft.described));
    assert(good && "the texts have been checked");
    // The edit at which the graph becomes too large is found when the edits are applied again.
    if (!result.graph.fits(origin.limits, result.before)) return conflict();
    if (draft.compensated) result.graph.set_latency_compensation(*draft.compensated);
    if (!result.graph.order()) return conflict();
    if (auto fits = check_delays(result, origin); !fits) return std::unexpected(std::move(fits.error()));
    return result;
}

}  // namespace rta
