// SPDX-License-Identifier: MIT
#include "engine/draft.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "plan/latency.h"
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

/// Applies one edit to a draft.
class Editor {
 public:
    Editor(Draft& draft, std::span<const PreparedNode> nodes, const NodeBuilder& builder)
        : draft_{draft}, nodes_{nodes}, builder_{builder} {}

    Expected<void> operator()(const AddNode&) {
        const PreparedNode& node = nodes_.front();
        return draft_.graph.add_node(draft_.add(node.instance), node.instance->shared_description(), node.parameters);
    }

    Expected<void> operator()(const RemoveNode& edit) { return draft_.graph.remove_node(edit.name); }

    Expected<void> operator()(const RenameNode& edit) {
        const auto node = draft_.graph.require(edit.name);
        if (!node) return std::unexpected(node.error());
        const NodeDescription& old = *(*node)->description;
        draft_.renamed.push_back((*node)->id);
        auto description = NodeDescription::make(*old.type, edit.new_name, old.given_settings);
        if (!description) return std::unexpected(std::move(description.error()));
        return draft_.graph.rename_node(edit.name, std::move(*description));
    }

    Expected<void> operator()(const Connect& edit) { return draft_.graph.connect(edit.from, edit.to, edit.gain_db); }

    Expected<void> operator()(const Disconnect& edit) { return draft_.graph.disconnect(edit.from, edit.to); }

    Expected<void> operator()(const SetParameter& edit) {
        auto change = check_change(draft_.graph, edit);
        if (!change) return std::unexpected(std::move(change.error()));
        draft_.changes.push_back(*change);
        return draft_.graph.set_parameter(edit.node, edit.parameter, edit.value);
    }

    Expected<void> operator()(const ChangeSettings& edit) {
        const auto node = draft_.graph.require(edit.node);
        if (!node) return std::unexpected(node.error());
        Settings settings = (*node)->description->given_settings;
        for (const auto& [name, value] : edit.settings) settings.insert_or_assign(name, value);
        auto description = NodeDescription::make(*(*node)->description->type, edit.node, std::move(settings));
        if (!description) return std::unexpected(std::move(description.error()));
        auto instance = builder_.build(std::move(*description));
        if (!instance) return std::unexpected(std::move(instance.error()));
        auto shared = (*instance)->shared_description();
        return draft_.graph.replace_node(draft_.add(std::move(*instance)), std::move(shared));
    }

    Expected<void> operator()(const SetLatencyCompensation& edit) {
        draft_.graph.set_latency_compensation(edit.enabled);
        return {};
    }

    Expected<void> operator()(const ReplaceGraph& edit) {
        AudioGraph replaced;
        std::vector<ParameterChange> changes;
        if (auto good = replace_nodes(edit.document, replaced, changes); !good) return good;
        if (auto good = replace_connections(edit.document, replaced); !good) return good;
        replaced.set_latency_compensation(edit.document.latency_compensation);
        draft_.graph = std::move(replaced);
        draft_.changes.insert(draft_.changes.end(), changes.begin(), changes.end());
        return {};
    }

 private:
    /// Returns the existing node of the same name, type and settings, or nullptr.
    [[nodiscard]] const GraphNode* find_same(const PreparedNode& node) const {
        const NodeDescription& description = node.instance->description();
        const GraphNode* const old = draft_.graph.find(description.name);
        const bool same = old != nullptr && old->description->type == description.type &&
                          old->description->settings == description.settings;
        return same ? old : nullptr;
    }

    Expected<void> replace_nodes(const GraphDocument& document, AudioGraph& replaced,
                                 std::vector<ParameterChange>& changes) {
        // Nodes are sorted by id: first those that stay, oldest first, then the new ones.
        std::vector<std::pair<const GraphNode*, std::size_t>> order;
        order.reserve(nodes_.size());
        for (std::size_t i = 0; i < nodes_.size(); ++i) order.emplace_back(find_same(nodes_[i]), i);
        std::ranges::sort(order, {}, [](const auto& entry) {
            return std::pair{entry.first == nullptr ? NodeId{static_cast<std::uint64_t>(-1)} : entry.first->id,
                             entry.second};
        });

        const GraphNode* previous = nullptr;
        for (const auto& [old, index] : order) {
            const PreparedNode& node = nodes_[index];
            const DocumentPosition& position = document.nodes[index].position;
            const auto& description = node.instance->shared_description();
            if (old != nullptr && old == previous) {
                return std::unexpected(at_position(
                    {ErrorCode::already_exists, "node " + quoted(description->name) + " already exists", {}},
                    position));
            }
            previous = old;
            if (old != nullptr) add_changes(*old, node.parameters, changes);
            const NodeId id = old != nullptr ? old->id : draft_.add(node.instance);
            if (auto good = replaced.add_node(id, description, node.parameters); !good) {
                return std::unexpected(at_position(std::move(good.error()), position));
            }
        }
        return {};
    }

    static void add_changes(const GraphNode& node, std::span<const float> parameters,
                            std::vector<ParameterChange>& changes) {
        for (std::uint32_t p = 0; p < parameters.size(); ++p) {
            if (parameters[p] != node.parameters[p])
                changes.push_back({node.id, p, parameters[p], kDefaultParameterRampMs});
        }
    }

    static Expected<void> replace_connections(const GraphDocument& document, AudioGraph& replaced) {
        for (const GraphDocument::Connection& connection : document.connections) {
            const std::size_t count = replaced.connection_count();
            auto good = replaced.connect(connection.from, connection.to, connection.gain_db);
            if (!good) return std::unexpected(at_position(std::move(good.error()), connection.position));
            if (replaced.connection_count() == count) {
                return std::unexpected(at_position(
                    {ErrorCode::already_exists, "duplicate connection " + connection.from + " -> " + connection.to, {}},
                    connection.position));
            }
        }
        return {};
    }

    Draft& draft_;
    std::span<const PreparedNode> nodes_;
    const NodeBuilder& builder_;
};

/// Applies the first `edit_count` edits.
Expected<Draft> apply_first(const DraftOrigin& origin, const PreparedEdits& edits, std::size_t edit_count,
                            const NodeBuilder& builder) {
    Draft result = origin.draft();
    for (std::size_t i = 0; i < edit_count; ++i) {
        auto good = result.apply(edits.transaction.edits[i], edits.nodes[i], builder);
        if (!good) return std::unexpected(at_edit(std::move(good.error()), i));
    }
    return result;
}

/// Finds, by bisection, an edit before which the draft is good and after which it is not. Used for errors only.
std::size_t first_edit_against(const std::function<bool(const Draft&)>& is_good, const DraftOrigin& origin,
                               const PreparedEdits& edits, const NodeBuilder& builder) {
    std::size_t good = 0;
    std::size_t bad = edits.transaction.edits.size();
    while (bad - good > 1) {
        const std::size_t middle = good + (bad - good) / 2;
        const auto result = apply_first(origin, edits, middle, builder);
        (result && is_good(*result) ? good : bad) = middle;
    }
    return good;
}

}  // namespace

Expected<ParameterChange> check_change(const AudioGraph& graph, const SetParameter& edit) {
    const auto place = graph.check_parameter(edit.node, edit.parameter, edit.value);
    if (!place) return std::unexpected(place.error());
    if (auto good = check_ramp(edit.ramp_ms, edit.node, edit.parameter); !good)
        return std::unexpected(std::move(good.error()));
    return ParameterChange{place->node, place->index, edit.value, edit.ramp_ms.value_or(kDefaultParameterRampMs)};
}

Expected<void> Draft::apply(const Edit& edit, std::span<const PreparedNode> nodes, const NodeBuilder& builder) {
    return std::visit(Editor{*this, nodes, builder}, edit);
}

NodeId Draft::add(std::shared_ptr<NodeInstance> instance) {
    const NodeId id{next_id++};
    instance->assign_id(id);
    added.push_back(std::move(instance));
    return id;
}

std::shared_ptr<NodeInstance> Draft::instance(NodeId id) const {
    const auto found = std::ranges::lower_bound(added, id, {}, [](const auto& entry) { return entry->id(); });
    if (found != added.end() && (*found)->id() == id) return *found;
    return instances->at(id.value());
}

std::vector<std::uint32_t> Draft::latencies() const {
    std::vector<std::uint32_t> latencies;
    if (!graph.latency_compensation()) return latencies;
    latencies.reserve(graph.node_count());
    for (const auto& node : graph.nodes()) latencies.push_back(instance(node->id)->latency_frames());
    return latencies;
}

void Draft::rename_instances() const {
    for (const NodeId id : renamed) {
        const GraphNode* node = graph.find(id);
        if (node != nullptr) instance(id)->rename(node->description);
    }
}

Expected<Draft> apply_edits(const DraftOrigin& origin, const PreparedEdits& edits, const NodeBuilder& builder) {
    auto result = apply_first(origin, edits, edits.transaction.edits.size(), builder);
    if (!result) return result;
    if (auto acyclic = result->graph.check_acyclic(); !acyclic) {
        const auto is_acyclic = [](const Draft& some) { return some.graph.check_acyclic().has_value(); };
        return std::unexpected(
            at_edit(std::move(acyclic.error()), first_edit_against(is_acyclic, origin, edits, builder)));
    }
    if (auto delays = compensating_delays(result->graph, result->latencies()); !delays) {
        const auto can_be_compensated = [](const Draft& some) {
            return some.graph.check_acyclic() && compensating_delays(some.graph, some.latencies());
        };
        return std::unexpected(
            at_edit(std::move(delays.error()), first_edit_against(can_be_compensated, origin, edits, builder)));
    }
    return result;
}

}  // namespace rta
