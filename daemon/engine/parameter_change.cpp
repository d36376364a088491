// SPDX-License-Identifier: MIT
// Validates changes of parameters; see draft.h.
#include <algorithm>
#include <map>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/draft.h"
#include "text/format_number.h"
#include "text/quoting.h"

namespace rta {
namespace {

Expected<void> check_ramp(const std::optional<float>& ramp_ms, std::string_view node, std::string_view parameter) {
    if (!ramp_ms || (*ramp_ms >= 0.0F && *ramp_ms <= kMaximumRampMs)) return {};
    return fail(ErrorCode::invalid_argument, "node " + quoted(node) + ": a ramp of " + format_number(*ramp_ms) +
                                                 " ms for " + std::string{parameter} + " is out of range: 0 to " +
                                                 format_number(kMaximumRampMs) + " ms");
}

/// Results of earlier changes.
using ParameterValues = std::map<std::pair<NodeId, std::uint32_t>, float>;

Expected<ParameterChange> check_change(const AudioGraph& graph, const SetParameter& edit,
                                       const ParameterValues& results) {
    const auto place = graph.find_parameter(edit.node, edit.parameter);
    if (!place) return std::unexpected(place.error());
    const GraphNode& node = *graph.find(place->node);
    const auto result = results.find({place->node, place->index});
    const float current = result != results.end() ? result->second : node.parameters[place->index];
    const auto value = value_after(node.description->layout.parameters[place->index], current, edit);
    if (!value) return std::unexpected(value.error());
    if (auto good = check_ramp(edit.ramp_ms, edit.node, edit.parameter); !good)
        return std::unexpected(std::move(good.error()));
    return ParameterChange{place->node, place->index, *value, edit.ramp_ms.value_or(kDefaultParameterRampMs)};
}

}  // namespace

Expected<ParameterChange> check_change(const AudioGraph& graph, const SetParameter& edit) {
    return check_change(graph, edit, {});
}

Expected<std::vector<ParameterChange>> check_changes(const AudioGraph& graph, std::span<const SetParameter> edits) {
    std::vector<ParameterChange> changes;
    changes.reserve(edits.size());
    ParameterValues results;  // only relative changes depend on them
    const bool any_relative = std::ranges::any_of(edits, &SetParameter::is_relative);
    for (std::size_t i = 0; i < edits.size(); ++i) {
        auto change = check_change(graph, edits[i], results);
        if (!change) return std::unexpected(at_edit(std::move(change.error()), i));
        if (any_relative) results.insert_or_assign({change->node, change->parameter}, change->value);
        changes.push_back(*change);
    }
    return changes;
}

Expected<void> check_together(const AudioGraph& graph, std::span<const ParameterChange> changes) {
    std::map<NodeId, std::pair<std::vector<float>, std::size_t>> checked;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const GraphNode& node = *graph.find(changes[i].node);
        if (node.description->type->check == nullptr) continue;
        auto& [values, last_change] = checked.try_emplace(node.id, node.parameters, i).first->second;
        values[changes[i].parameter] = changes[i].value;
        last_change = i;
    }
    for (const auto& [id, entry] : checked) {
        if (auto good = graph.find(id)->description->check_together(entry.first); !good)
            return std::unexpected(at_edit(std::move(good.error()), entry.second));
    }
    return {};
}

void Draft::check_later(NodeId id, std::size_t edit_index) {
    const GraphNode* const node = graph.find(id);
    if (node != nullptr && node->description->type->check != nullptr) checked.push_back({id, edit_index});
}

Expected<void> Draft::check_together() const {
    for (const CheckedNode& entry : checked | std::views::reverse) {
        const GraphNode* const node = graph.find(entry.id);
        if (node == nullptr) continue;
        if (auto good = node->description->check_together(node->parameters); !good)
            return std::unexpected(at_edit(std::move(good.error()), entry.edit_index));
    }
    return {};
}

}  // namespace rta
