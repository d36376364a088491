// SPDX-License-Identifier: MIT
#include "engine/draft.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>

#include "plan/latency.h"
#include "text/format_number.h"
#include "text/quoting.h"
#include "text/sort_range.h"
#include "text/suggestion.h"

namespace rta {
namespace {

/// In larger transactions, an edit that requires too long compensating delays is not searched for: the search applies
/// all edits several times, on the control thread.
constexpr std::size_t kMostSearchedEdits = 32;

/// Reading the processor time takes about 200 ns.
constexpr std::size_t kEditsBetweenChecks = 16;

Error take_too_long(std::size_t done, std::size_t count) {
    return {ErrorCode::invalid_argument,
            "the transaction takes too long: after " + format_number(static_cast<float>(kMaximumEditS)) + " s, " +
                std::to_string(done) + " of its " + std::to_string(count) +
                " edits had been validated; expected several smaller transactions",
            {}};
}

/// Applies one edit to a draft.
class Editor {
 public:
    Editor(Draft& draft, std::size_t index, std::span<const PreparedNode> nodes)
        : draft_{draft}, index_{index}, nodes_{nodes} {}

    Expected<void> operator()(const AddNode& edit) {
        const PreparedNode& node = nodes_.front();
        std::optional<NodeIdentity> identity;
        if (edit.identity != 0 && edit.identity != kNewIdentity) identity = NodeIdentity{edit.identity};
        // A node that is removed and added in the same transaction is replaced.
        const auto removed = draft_.removed.find({edit.name, node.description->type});
        if (removed != draft_.removed.end()) {
            if (edit.identity == 0) identity = removed->second;
            draft_.removed.erase(removed);
        }
        return draft_.graph.add_node(add(0), node.description, node.parameters, identity);
    }

    Expected<void> operator()(const RemoveNode& edit) {
        if (const GraphNode* const node = draft_.graph.find(edit.name))
            draft_.removed.insert_or_assign({edit.name, node->description->type}, node->identity);
        return draft_.graph.remove_node(edit.name);
    }

    Expected<void> operator()(const RenameNode& edit) {
        const auto node = draft_.graph.require(edit.name);
        if (!node) return std::unexpected(node.error());
        auto renamed = std::make_shared<NodeDescription>(*(*node)->description);
        renamed->name = edit.new_name;
        return describe(**node, std::move(renamed));
    }

    Expected<void> operator()(const Connect& edit) {
        const std::size_t count = draft_.graph.connection_count();
        auto connection = draft_.graph.connect(edit.from, edit.to, edit.gain_db);
        if (!connection) return std::unexpected(std::move(connection.error()));
        draft_.joins = draft_.joins || draft_.graph.connection_count() != count;
        draft_.connected.push_back(*connection);
        return {};
    }

    Expected<void> operator()(const Disconnect& edit) { return draft_.graph.disconnect(edit.from, edit.to); }

    Expected<void> operator()(const SetParameter& edit) {
        auto change = check_change(draft_.graph, edit);
        if (!change) return std::unexpected(std::move(change.error()));
        draft_.changes.push_back(*change);
        draft_.check_later(change->node, index_);
        if (edit.is_relative()) draft_.relative.push_back({index_, change->node, change->parameter, change->value});
        draft_.graph.set_parameter({change->node, change->parameter}, change->value);
        return {};
    }

    Expected<void> operator()(const ChangeSettings& edit) {
        const auto node = draft_.graph.require(edit.node);
        if (!node) return std::unexpected(node.error());
        const NodeDescription& old = *(*node)->description;
        if (auto good = check_defaults(old, edit); !good) return good;
        Settings settings = changed_settings(old.type->settings, old.given_settings, edit.settings, edit.defaults);
        auto description = NodeDescription::make(*old.type, edit.node, std::move(settings), old.sample_rate_hz,
                                                 old.annotation, old.block_size);
        if (!description) return std::unexpected(std::move(description.error()));
        // Nothing that the processor depends on has changed: it keeps its state.
        if ((*description)->settings == (*node)->description->settings)
            return describe(**node, std::move(*description));
        auto good = replace(std::move(*description));
        if (good) draft_.check_later(draft_.graph.find(edit.node)->id, index_);
        return good;
    }

    Expected<void> operator()(const SetLatencyCompensation& edit) {
        draft_.graph.set_latency_compensation(edit.enabled);
        draft_.compensated = edit.enabled;
        return {};
    }

    Expected<void> operator()(const Describe& edit) {
        if (edit.node.empty()) {
            if (edit.title) draft_.described.title = edit.title;
            if (edit.description) draft_.described.description = edit.description;
            return draft_.graph.set_annotation(described(draft_.graph.annotation(), edit));
        }
        const auto node = draft_.graph.require(edit.node);
        if (!node) return std::unexpected(node.error());
        const NodeDescription& old = *(*node)->description;
        auto description = old.with_annotation(described(old.annotation, edit));
        if (!description) return std::unexpected(std::move(description.error()));
        return describe(**node, std::move(*description));
    }

    Expected<void> operator()(const ReplaceGraph& edit) {
        AudioGraph replaced;
        std::vector<ParameterChange> changes;
        if (auto good = replace_nodes(edit.document, replaced, changes); !good) return good;
        if (auto good = replace_connections(edit.document, replaced); !good) return good;
        replaced.set_latency_compensation(edit.document.latency_compensation);
        const Annotation& annotation = edit.document.annotation;
        if (auto good = replaced.set_annotation(annotation); !good) return good;
        draft_.graph = std::move(replaced);
        draft_.compensated = edit.document.latency_compensation;
        draft_.described = {.node = {}, .title = annotation.title, .description = annotation.description};
        draft_.changes.insert(draft_.changes.end(), changes.begin(), changes.end());
        return {};
    }

 private:
    [[nodiscard]] static Expected<void> check_defaults(const NodeDescription& node, const ChangeSettings& edit) {
        const Settings& known = node.settings.values();
        for (const std::string& name : edit.defaults) {
            if (edit.settings.contains(name)) {
                return fail(ErrorCode::invalid_argument,
                            "setting " + quoted(name) + " of node " + quoted(node.name) +
                                " is in `settings` and in `defaults`: expected one of the two");
            }
            if (known.contains(name)) continue;
            std::vector<std::string_view> names;
            for (const auto& [setting, value] : known) names.push_back(setting);
            return fail(ErrorCode::not_found,
                        "node " + quoted(node.name) + ": " + unknown_name("setting", name, names));
        }
        return {};
    }

    NodeId add(std::size_t node_index) {
        const PreparedNode& node = nodes_[node_index];
        // An earlier attempt may have renamed it.
        if (node.instance != nullptr) node.instance->rename(node.description);
        return draft_.add(node.instance, index_, node_index);
    }

    Expected<void> replace(std::shared_ptr<const NodeDescription> description) {
        if (!built_for(*description))
            return draft_.graph.replace_node(draft_.add(nullptr, index_, 0), std::move(description));
        const std::shared_ptr<NodeInstance>& instance = nodes_.front().instance;
        instance->rename(std::move(description));
        return draft_.replace(instance, index_);
    }

    /// Changes the name, title or description of a node, or the text of its settings if their values are the same.
    Expected<void> describe(const GraphNode& node, std::shared_ptr<const NodeDescription> description) {
        draft_.renamed.push_back(node.id);
        return draft_.graph.rename_node(std::string{node.name()}, std::move(description));
    }

    /// Other clients may have changed the node since its successor was built.
    [[nodiscard]] bool built_for(const NodeDescription& description) const {
        if (nodes_.empty() || nodes_.front().instance == nullptr) return false;
        const NodeDescription& built = nodes_.front().instance->description();
        return built.type == description.type && built.settings == description.settings;
    }

    /// A node of the new graph.
    struct Placed {
        const GraphNode* old;  ///< of the same name, type and settings; null: none
        std::size_t index;     ///< in nodes_
        std::shared_ptr<const NodeDescription> description;
        std::optional<NodeIdentity> identity = {};  ///< of the node of the same name and type
    };

    [[nodiscard]] Placed place(std::size_t index) const {
        const auto& description = nodes_[index].description;
        const GraphNode* const old = draft_.graph.find(description->name);
        if (old == nullptr || old->description->type != description->type) return {nullptr, index, description};
        auto kept = with_drawn_settings_of(*old, nodes_[index]);
        if (kept->settings == old->description->settings) return {old, index, std::move(kept), old->identity};
        return {nullptr, index, description, old->identity};
    }

    /// A setting that was drawn for the existing node stays if the document does not give it.
    [[nodiscard]] static std::shared_ptr<const NodeDescription> with_drawn_settings_of(const GraphNode& old,
                                                                                       const PreparedNode& node) {
        if (node.drawn.empty()) return node.description;
        Settings settings = node.description->given_settings;
        for (const std::string_view name : node.drawn)
            settings.find(name)->second = old.description->settings.values().find(name)->second;
        const NodeDescription& added = *node.description;
        auto kept = NodeDescription::make(*added.type, added.name, settings, added.sample_rate_hz, added.annotation,
                                          added.block_size);
        if (!kept) return node.description;
        return *std::move(kept);
    }

    Expected<void> replace_nodes(const GraphDocument& document, AudioGraph& replaced,
                                 std::vector<ParameterChange>& changes) {
        // Nodes are sorted by id: first those that stay, oldest first, then the new ones.
        std::vector<Placed> order;
        order.reserve(nodes_.size());
        for (std::size_t i = 0; i < nodes_.size(); ++i) order.push_back(place(i));
        sort_range(order, {}, [](const Placed& entry) {
            return std::pair{entry.old == nullptr ? NodeId{static_cast<std::uint64_t>(-1)} : entry.old->id,
                             entry.index};
        });

        const GraphNode* previous = nullptr;
        for (const auto& [old, index, description, identity] : order) {
            const PreparedNode& node = nodes_[index];
            const DocumentPosition& position = document.nodes[index].position;
            if (old != nullptr && old == previous) {
                return std::unexpected(at_position(
                    {ErrorCode::already_exists, "node " + quoted(description->name) + " already exists", {}},
                    position));
            }
            previous = old;
            if (old != nullptr) add_changes(*old, node.parameters, changes);
            const NodeId id = old != nullptr ? old->id : add(index);
            if (auto good = replaced.add_node(id, description, node.parameters, identity); !good) {
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
    std::size_t index_;
    std::span<const PreparedNode> nodes_;
};

/// Applies the first `edit_count` edits.
Expected<Draft> apply_first(const DraftOrigin& origin, const PreparedEdits& edits, std::size_t edit_count) {
    Draft result = origin.draft();
    result.graph.defer_compaction();
    const double begin_s = origin.thread_time_s != nullptr ? origin.thread_time_s() : 0.0;
    for (std::size_t i = 0; i < edit_count; ++i) {
        const bool is_timed = origin.thread_time_s != nullptr && i % kEditsBetweenChecks == 0;
        if (is_timed && origin.thread_time_s() - begin_s > kMaximumEditS)
            return std::unexpected(at_edit(take_too_long(i, edit_count), i));
        auto good = result.apply(edits.transaction.edits[i], i, edits.nodes[i]);
        if (!good) return std::unexpected(at_edit(std::move(good.error()), i));
    }
    if (edit_count == edits.transaction.edits.size()) {
        for (const SetParameter& change : edits.last) {
            if (auto good = result.apply(change, edit_count, {}); !good)
                return std::unexpected(std::move(good.error()));
        }
    }
    result.graph.compact();
    return result;
}

/// Finds the edit that completed a cycle: the last one that added one of its connections. Applies the edits again.
class CycleSearch {
 public:
    CycleSearch(const DraftOrigin& origin, const PreparedEdits& edits) : edits_{edits}, draft_{origin.draft()} {
        draft_.graph.defer_compaction();
        for (std::size_t i = 0; i < edits.transaction.edits.size(); ++i) note(i);
    }

    /// `cycle` holds the ids of its nodes in the final graph, each before the node that it feeds.
    [[nodiscard]] std::size_t last_edit(std::span<const NodeId> cycle) const {
        std::unordered_map<std::uint64_t, NodeId> next;
        for (std::size_t i = 0; i < cycle.size(); ++i) next.emplace(cycle[i].value(), cycle[(i + 1) % cycle.size()]);
        std::size_t last = replaced_all_in_;
        for (const Joined& joined : joined_) {
            const auto from = next.find(successor(joined.from).value());
            if (from != next.end() && from->second == successor(joined.to)) last = std::max(last, joined.edit_index);
        }
        return last;
    }

 private:
    /// The first connection from one node to another, which an edit added, by the nodes as they were then.
    struct Joined {
        std::size_t edit_index;
        NodeId from;
        NodeId to;
    };

    void note(std::size_t index) {
        const Edit& edit = edits_.transaction.edits[index];
        const auto* changed = std::get_if<ChangeSettings>(&edit);
        const auto* connect = std::get_if<Connect>(&edit);
        const std::optional<Joined> joined = connect != nullptr ? first_connection(index, *connect) : std::nullopt;
        const NodeId before = changed != nullptr ? id_of(changed->node) : NodeId{};
        [[maybe_unused]] const auto applied = draft_.apply(edit, index, edits_.nodes[index]);
        assert(applied && "the edits have been applied before");
        if (std::holds_alternative<ReplaceGraph>(edit)) {
            joined_.clear();
            replaced_all_in_ = index;
        } else if (changed != nullptr) {
            if (const NodeId after = id_of(changed->node); after != before) successors_.emplace(before.value(), after);
        } else if (joined) {
            joined_.push_back(*joined);
        }
    }

    /// Returns nothing if the two nodes are connected already: another connection closes no cycle.
    [[nodiscard]] std::optional<Joined> first_connection(std::size_t index, const Connect& edit) const {
        const NodeId from = id_of(edit.from);
        const NodeId to = id_of(edit.to);
        const GraphNode& destination = *draft_.graph.find(to);
        for (std::uint32_t port = 0; port < destination.description->layout.inputs.size(); ++port) {
            const auto found = std::ranges::lower_bound(
                destination.incoming, std::tuple{port, PortRef{from, 0}}, {},
                [](const auto& incoming) { return std::tuple{incoming.to_port, incoming.from}; });
            const bool connected =
                found != destination.incoming.end() && found->to_port == port && found->from.node == from;
            if (connected) return std::nullopt;
        }
        return Joined{index, from, to};
    }

    /// `place`: a node, or one of its ports as `node:port`.
    [[nodiscard]] NodeId id_of(std::string_view place) const {
        return draft_.graph.find(place.substr(0, place.find(':')))->id;
    }

    [[nodiscard]] NodeId successor(NodeId id) const {
        for (auto next = successors_.find(id.value()); next != successors_.end(); next = successors_.find(id.value()))
            id = next->second;
        return id;
    }

    const PreparedEdits& edits_;
    Draft draft_;
    std::vector<Joined> joined_;
    std::unordered_map<std::uint64_t, NodeId> successors_;  ///< of nodes that ChangeSettings replaced
    std::size_t replaced_all_in_ = 0;                       ///< the last ReplaceGraph
};

[[nodiscard]] std::size_t edit_that_closes(const Cycle& cycle, const AudioGraph& graph, const DraftOrigin& origin,
                                           const PreparedEdits& edits) {
    std::vector<NodeId> ids;
    ids.reserve(cycle.nodes.size());
    for (const std::uint32_t index : cycle.nodes) ids.push_back(graph.nodes()[index]->id);
    return CycleSearch{origin, edits}.last_edit(ids);
}

/// Finds, by bisection, an edit before which the latencies can be compensated and after which they cannot.
std::size_t edit_that_delays_too_much(const DraftOrigin& origin, const PreparedEdits& edits) {
    std::size_t good = 0;
    std::size_t bad = edits.transaction.edits.size();
    while (bad - good > 1) {
        const std::size_t middle = good + (bad - good) / 2;
        const auto result = apply_first(origin, edits, middle);
        const bool is_good = result && result->graph.order() && check_delays(*result, origin).has_value();
        (is_good ? good : bad) = middle;
    }
    return good;
}

/// Applies all edits. Errors: those of an edit, of the edit that makes the graph too large, and of the edit that closes
/// a cycle.
Expected<Draft> apply_acyclic(const DraftOrigin& origin, const PreparedEdits& edits) {
    auto result = apply_first(origin, edits, edits.transaction.edits.size());
    if (!result) return result;
    if (auto good = result->check_together(); !good) return std::unexpected(std::move(good.error()));
    if (auto fits = result->graph.check_size(origin.limits, result->before); !fits)
        return std::unexpected(at_edit(std::move(fits.error()), result->too_large_from));
    // Nothing else adds connections between nodes.
    const bool joins = result->joins || std::ranges::any_of(edits.transaction.edits, [](const Edit& edit) {
                           return std::holds_alternative<ReplaceGraph>(edit);
                       });
    if (const auto order = joins ? result->graph.order() : std::vector<std::uint32_t>{}; !order) {
        Error error = result->graph.cycle_error(order.error());
        return std::unexpected(
            at_edit(std::move(error), edit_that_closes(order.error(), result->graph, origin, edits)));
    }
    return result;
}

}  // namespace

Expected<void> Draft::apply(const Edit& edit, std::size_t index, std::span<const PreparedNode> nodes) {
    auto good = std::visit(Editor{*this, index, nodes}, edit);
    if (graph.fits(limits, before)) too_large_from = index + 1;
    return good;
}

Expected<void> Draft::replace(std::shared_ptr<NodeInstance> instance, std::size_t edit_index) {
    auto description = instance->shared_description();
    return graph.replace_node(add(std::move(instance), edit_index, 0), std::move(description));
}

NodeId Draft::add(std::shared_ptr<NodeInstance> instance, std::size_t edit_index, std::size_t node_index) {
    const NodeId id{next_id++};
    if (instance != nullptr) instance->assign_id(id);
    added.push_back({id, std::move(instance), edit_index, node_index});
    return id;
}

std::vector<MissingNode> Draft::missing() const {
    std::vector<MissingNode> nodes;
    for (const AddedNode& node : added) {
        if (node.instance != nullptr) continue;
        if (const GraphNode* const present = graph.find(node.id))
            nodes.push_back({node.edit_index, node.node_index, present->description});
    }
    return nodes;
}

std::shared_ptr<NodeInstance> Draft::instance(NodeId id) const {
    const auto found = std::ranges::lower_bound(added, id, {}, &AddedNode::id);
    if (found != added.end() && found->id == id) return found->instance;
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

Expected<void> check_delays(std::uint64_t samples, const GraphLimits& limits,
                            const std::function<std::uint64_t()>& samples_before) {
    if (samples <= limits.delay_bytes / sizeof(float) || samples <= samples_before()) return {};
    return fail(ErrorCode::failed_precondition,
                "latency_compensation needs " + std::to_string((samples * sizeof(float) + (1U << 20U) - 1) >> 20U) +
                    " MiB of delays: the limit is " + std::to_string(limits.delay_bytes >> 20U) +
                    " MiB (--max-delay-memory); use shorter look-ahead or switch "
                    "compensation off");
}

Expected<void> check_delays(const Draft& draft, const DraftOrigin& origin) {
    return check_delays(compensating_samples(draft.graph, draft.latencies()), origin.limits,
                        [&] { return compensating_samples(origin.graph, origin.draft().latencies()); });
}

Expected<Draft> apply_edits(const DraftOrigin& origin, const PreparedEdits& edits) {
    auto result = apply_acyclic(origin, edits);
    if (!result || !result->missing().empty()) return result;
    if (auto fits = check_delays(*result, origin); !fits) {
        if (edits.transaction.edits.size() > kMostSearchedEdits) return std::unexpected(std::move(fits.error()));
        return std::unexpected(at_edit(std::move(fits.error()), edit_that_delays_too_much(origin, edits)));
    }
    return result;
}

std::unordered_set<std::string_view> names_in(const Transaction& transaction) {
    std::unordered_set<std::string_view> names;
    const auto add_place = [&](std::string_view place) { names.insert(place.substr(0, place.find(':'))); };
    const auto add = [&]<typename Kind>(const Kind& edit) {
        if constexpr (requires { edit.name; }) names.insert(edit.name);
        if constexpr (requires { edit.new_name; }) names.insert(edit.new_name);
        if constexpr (requires { edit.node; }) names.insert(edit.node);
        if constexpr (requires { edit.from; }) add_place(edit.from);
        if constexpr (requires { edit.to; }) add_place(edit.to);
    };
    for (const Edit& edit : transaction.edits) std::visit(add, edit);
    return names;
}

Expected<Draft> apply_to_snapshot(const PreparedEdits& edits, const EngineConfig& config) {
    static const NodeInstances none;
    return apply_acyclic({.graph = edits.snapshot->graph,
                          .next_id = edits.snapshot->next_id,
                          .instances = none,
                          .limits = limits_of(edits.transaction, config),
                          .thread_time_s = config.thread_time_s},
                         edits);
}

}  // namespace rta
