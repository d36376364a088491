// SPDX-License-Identifier: MIT
#include "api/history/undo_target.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <unordered_set>
#include <utility>

#include "graph/difference.h"
#include "text/quoting.h"

namespace rta::api {
namespace {

/// A step has changed the facet. One that adds a node has given a value to all, and one that removes it takes them away.
bool changes(const NodeChange& change, const Facet& facet) {
    return !same_facet(change.before.get(), change.after.get(), facet);
}

}  // namespace

UndoTarget::UndoTarget(std::span<const HistoryStep> steps, const std::vector<bool>& stays,
                       const std::set<std::size_t>& toggled, const AudioGraph& graph)
    : steps_{steps}, stays_{stays}, toggled_{toggled}, graph_{graph} {
    for (const std::size_t step : toggled_) {
        const StepChanges* const changes = changes_of(step);
        if (changes == nullptr) continue;
        for (const NodeChange& change : changes->nodes) changed_.insert(change.node);
        for (const NodeIdentity node : changes->concerned) nodes_.try_emplace(node);
    }
    for (const auto& node : graph_.nodes()) {
        if (std::to_underlying(node->identity) != node->id.value())
            by_identity_.emplace(std::to_underlying(node->identity), node.get());
    }
    find_nodes();
    find_links();
    for (const NodeIdentity identity : changed_) set_target(nodes_.at(identity));
    find_places();
    set_graph_target();
}

const StepChanges* UndoTarget::changes_of(std::size_t step) const {
    return steps_[step].content == nullptr ? nullptr : &steps_[step].content->changes;
}

const GraphNode* UndoTarget::find_actual(NodeIdentity identity) const {
    if (const auto found = by_identity_.find(std::to_underlying(identity)); found != by_identity_.end())
        return found->second;
    const GraphNode* const node = graph_.find(NodeId{std::to_underlying(identity)});
    return node != nullptr && node->identity == identity ? node : nullptr;
}

void UndoTarget::find_nodes() {
    for (auto& [identity, node] : nodes_) {
        if (node.present != nullptr) continue;
        node.actual = find_actual(identity);
        if (node.actual == nullptr) continue;
        node.present = std::make_shared<NodeRecord>(NodeRecord{node.actual->description, node.actual->parameters});
        node.target = node.present;
    }
}

void UndoTarget::find_links() {
    for (std::size_t step = 0; step < steps_.size(); ++step) {
        const StepChanges* const changes = changes_of(step);
        if (changes == nullptr) continue;
        if (changes->nodes.size() < changed_.size()) {
            for (const NodeChange& change : changes->nodes) {
                if (changed_.contains(change.node)) nodes_.at(change.node).links.push_back({step, &change});
            }
        } else {
            for (const NodeIdentity identity : changed_) {
                if (const NodeChange* const change = changes->find(identity))
                    nodes_.at(identity).links.push_back({step, change});
            }
        }
    }
}

const UndoTarget::Link* UndoTarget::existence_link(const Node& node) const {
    for (auto link = node.links.rbegin(); link != node.links.rend(); ++link) {
        if (stays_[link->step] && link->change->exists_only_once()) return &*link;
    }
    return nullptr;
}

const UndoTarget::Link* UndoTarget::link(const Node& node, const Facet& facet) const {
    for (auto link = node.links.rbegin(); link != node.links.rend(); ++link) {
        if (stays_[link->step] && link->change->after != nullptr && changes(*link->change, facet)) return &*link;
    }
    return nullptr;
}

std::optional<std::size_t> UndoTarget::writer(NodeIdentity identity, const Facet& facet) const {
    for (std::size_t step = steps_.size(); step-- > 0;) {
        const StepChanges* const changed = stays_[step] ? changes_of(step) : nullptr;
        const NodeChange* const change = changed == nullptr ? nullptr : changed->find(identity);
        if (change != nullptr && change->after != nullptr && changes(*change, facet)) return step;
    }
    return std::nullopt;
}

std::optional<std::size_t> UndoTarget::writer(NodeIdentity from, NodeIdentity to) const {
    for (std::size_t step = steps_.size(); step-- > 0;) {
        const StepChanges* const changed = stays_[step] ? changes_of(step) : nullptr;
        if (changed == nullptr || !changed->concerns(from)) continue;
        const bool connects = std::ranges::any_of(changed->connections, [&](const ConnectionChange& change) {
            return change.after && change.place.from == from && change.place.to == to;
        });
        if (connects) return step;
    }
    return std::nullopt;
}

void UndoTarget::set_target(Node& node) const {
    const auto exists = [&] {
        if (const Link* const latest = existence_link(node)) return latest->change->after != nullptr;
        const auto first =
            std::ranges::find_if(node.links, [](const Link& link) { return link.change->exists_only_once(); });
        return first == node.links.end() ? node.actual != nullptr : first->change->before != nullptr;
    };
    node.target = nullptr;
    if (!exists()) return;
    // The facets that have another value now. All count if the node comes back; other settings may bring back parameters.
    std::set<Facet> facets;
    const auto add_facets = [&](auto counts) {
        for (const Link& link : node.links) {
            for (Facet& facet : different_facets(link.change->before.get(), link.change->after.get())) {
                if (counts(link, facet)) facets.insert(std::move(facet));
            }
        }
    };
    add_facets([&](const Link& link, const Facet&) { return node.present == nullptr || toggled_.contains(link.step); });
    if (node.present != nullptr && facets.contains({Facet::Kind::settings})) {
        add_facets([&](const Link&, const Facet& facet) {
            return facet.kind == Facet::Kind::parameter && !node.present->value(facet.parameter);
        });
    }
    FacetValues values;
    for (const Facet& facet : facets) {
        if (const Link* const latest = link(node, facet)) {
            values.emplace(facet, latest->change->after.get());
            continue;
        }
        const auto first = std::ranges::find_if(
            node.links, [&](const Link& one) { return one.change->before != nullptr && changes(*one.change, facet); });
        if (first != node.links.end()) values.emplace(facet, first->change->before.get());
    }
    const NodeChange& last = *node.links.back().change;
    node.target = with_facets(
        node.present != nullptr ? node.present : (last.after != nullptr ? last.after : last.before), values);
    node.rewired =
        node.present == nullptr || !same_facet(node.present.get(), node.target.get(), {Facet::Kind::settings});
}

// ---------------------------------------------------------------------------------------------------------------------
// Connections

void UndoTarget::find_places() {
    for (const std::size_t step : toggled_) {
        const StepChanges* const changes = changes_of(step);
        if (changes == nullptr) continue;
        for (const ConnectionChange& change : changes->connections) places_[change.place].toggled = true;
    }
    for (const NodeIdentity identity : changed_) {
        const Node& node = nodes_.at(identity);
        if (node.rewired && node.actual != nullptr) add_present_places(*node.actual);
    }
    add_earlier_places();
    add_neighbours();
    follow_places();
    for (auto& [place, entry] : places_) {
        set_target(place, entry);
        if (entry.target) fed_.emplace(place.from, place.to);
    }
}

void UndoTarget::add_present_places(const GraphNode& node) {
    for (auto& [place, gain_db] : incoming_of(graph_, node)) places_.try_emplace(std::move(place));
    for (const NodeId target : node.targets()) {
        for (auto& [place, gain_db] : incoming_of(graph_, *graph_.find(target), node.id))
            places_.try_emplace(std::move(place));
    }
}

/// Adds the connections that a node has had which comes back, or has other settings.
void UndoTarget::add_earlier_places() {
    const auto is_rewired = [&](NodeIdentity identity) {
        const auto node = nodes_.find(identity);
        return node != nodes_.end() && node->second.rewired;
    };
    if (std::ranges::none_of(changed_, is_rewired)) return;
    for (std::size_t step = 0; step < steps_.size(); ++step) {
        const StepChanges* const changes = changes_of(step);
        if (changes == nullptr) continue;
        for (const ConnectionChange& change : changes->connections) {
            if (is_rewired(change.place.to) || is_rewired(change.place.from)) places_.try_emplace(change.place);
        }
    }
}

/// Finds what the steps have made of each place.
void UndoTarget::follow_places() {
    const auto follow = [&](std::size_t step, const ConnectionChange& change, Place& entry) {
        if (!std::exchange(entry.changed, true)) entry.first = change.before;
        if (!stays_[step]) return;
        entry.writer = step;
        entry.last = change.after;
    };
    for (std::size_t step = 0; step < steps_.size(); ++step) {
        const StepChanges* const changes = changes_of(step);
        if (changes == nullptr) continue;
        if (changes->connections.size() < places_.size()) {
            for (const ConnectionChange& change : changes->connections) {
                if (const auto entry = places_.find(change.place); entry != places_.end())
                    follow(step, change, entry->second);
            }
        } else {
            for (auto& [place, entry] : places_) {
                if (const ConnectionChange* const change = changes->find(place)) follow(step, *change, entry);
            }
        }
    }
}

void UndoTarget::add_neighbours() {
    for (const auto& [place, entry] : places_) {
        nodes_.try_emplace(place.to);
        nodes_.try_emplace(place.from);
    }
    find_nodes();
}

std::optional<float> UndoTarget::actual_gain(const ConnectionPlace& place) const {
    const GraphNode* const to = nodes_.at(place.to).actual;
    const GraphNode* const from = nodes_.at(place.from).actual;
    if (to == nullptr || from == nullptr) return std::nullopt;
    const auto to_port = NodeLayout::find_port(to->description->layout.inputs, place.to_port);
    const auto from_port = NodeLayout::find_port(from->description->layout.outputs, place.from_port);
    if (!to_port || !from_port) return std::nullopt;
    const IncomingConnection* const found = graph_.find(ConnectionKey{{to->id, *to_port}, {from->id, *from_port}});
    return found == nullptr ? std::nullopt : std::optional{found->gain_db};
}

void UndoTarget::set_target(const ConnectionPlace& place, Place& entry) const {
    const Node& to = nodes_.at(place.to);
    const Node& from = nodes_.at(place.from);
    entry.actual = actual_gain(place);
    entry.target = entry.actual;
    if (entry.changed && (entry.toggled || to.actual == nullptr || from.actual == nullptr))
        entry.target = entry.writer ? entry.last : entry.first;
    // A connection is part of the graph if both of its nodes are.
    if (to.target == nullptr || from.target == nullptr) entry.target.reset();
}

void UndoTarget::set_graph_target() {
    graph_target_ = {graph_.latency_compensation(), graph_.annotation()};
    for_each_graph_part([&](auto part) {
        bool toggled = false;
        std::optional<GraphRecord> target;
        for (std::size_t step = 0; step < steps_.size(); ++step) {
            const StepChanges* const changes = changes_of(step);
            if (changes == nullptr || !changes->graph) continue;
            const auto& [before, after] = *changes->graph;
            if (part(before) == part(after)) continue;
            toggled |= toggled_.contains(step);
            if (!target) target = before;  // unless a step that stays has changed it
            if (stays_[step]) target = after;
        }
        if (toggled) part(graph_target_) = part(*target);
    });
}

// ---------------------------------------------------------------------------------------------------------------------
// Conflicts

std::optional<UndoConflict> UndoTarget::conflict() const {
    using Check = std::optional<UndoConflict> (UndoTarget::*)() const;
    // Each check relies on those before it.
    for (const Check check : {static_cast<Check>(&UndoTarget::missing_node), &UndoTarget::invalid_value,
                              &UndoTarget::taken_name, &UndoTarget::invalid_connection, &UndoTarget::cycle}) {
        if (auto found = (this->*check)()) return found;
    }
    return std::nullopt;
}

std::optional<UndoConflict> UndoTarget::missing_node(std::size_t step, NodeIdentity identity) const {
    const Node& node = nodes_.at(identity);
    if (node.target != nullptr) return std::nullopt;
    // What an undo removes itself is not missing.
    if (!applied_again(step) && node.actual != nullptr) return std::nullopt;
    UndoConflict conflict{.writers = {}, .lacking = {identity}, .reason = "one of its nodes does not exist"};
    for (std::size_t other = steps_.size(); other-- > 0 && conflict.writers.empty();) {
        const StepChanges* const changes = stays_[other] ? changes_of(other) : nullptr;
        const NodeChange* const change = changes == nullptr ? nullptr : changes->find(identity);
        if (change != nullptr && change->exists_only_once()) conflict.writers.push_back(other);
    }
    // A later step may have removed it, or one that is applied again together with this one.
    if (!conflict.writers.empty() && (conflict.writers.front() > step || applied_again(conflict.writers.front())))
        return std::nullopt;
    // Changes of a node whose own step is undone can be undone, too.
    if (!applied_again(step) && conflict.writers.empty()) return std::nullopt;
    return conflict;
}

std::optional<UndoConflict> UndoTarget::missing_node() const {
    for (const std::size_t step : toggled_) {
        const StepChanges* const changes = changes_of(step);
        if (changes == nullptr) continue;
        for (const NodeChange& change : changes->nodes) {
            // A parameter that is set again waits for its node.
            if (change.exists_only_once() || (applied_again(step) && !changes_beyond_parameters(change))) continue;
            if (auto found = missing_node(step, change.node)) return found;
        }
        if (!applied_again(step)) continue;
        for (const ConnectionChange& change : changes->connections) {
            if (!change.after) continue;
            for (const NodeIdentity end : {change.place.to, change.place.from}) {
                if (auto found = missing_node(step, end)) return found;
            }
        }
    }
    return std::nullopt;
}

UndoConflict UndoTarget::bad_values(NodeIdentity identity, std::string reason,
                                    std::span<const std::string_view> parameters) const {
    UndoConflict conflict{.writers = {}, .lacking = {identity}, .reason = std::move(reason)};
    const auto add = [&](const Facet& facet) {
        if (const auto step = writer(identity, facet)) conflict.writers.push_back(*step);
    };
    add({Facet::Kind::settings});
    for (const std::string_view parameter : parameters) add({Facet::Kind::parameter, std::string{parameter}});
    return conflict;
}

std::optional<UndoConflict> UndoTarget::invalid_value() const {
    for (const NodeIdentity identity : changed_) {
        const Node& node = nodes_.at(identity);
        if (node.target == nullptr) continue;
        if (auto found = invalid_value(identity, node)) return found;
        if (auto found = lost_parameter(identity, node)) return found;
    }
    return std::nullopt;
}

std::optional<UndoConflict> UndoTarget::invalid_value(NodeIdentity identity, const Node& node) const {
    const NodeDescription& description = *node.target->description;
    std::vector<std::string_view> names;
    for (std::size_t p = 0; p < description.layout.parameters.size(); ++p) {
        const ParameterSpec& spec = description.layout.parameters[p];
        names.push_back(spec.name);
        if (auto good = check_parameter(spec, node.target->parameters[p], description.name); !good)
            return bad_values(identity, std::move(good.error().sentence), {&names.back(), 1});
    }
    if (auto good = description.check_together(node.target->parameters); !good)
        return bad_values(identity, std::move(good.error().sentence), names);
    return std::nullopt;
}

/// A parameter that was set after the settings that now count must not vanish with the others.
std::optional<UndoConflict> UndoTarget::lost_parameter(NodeIdentity identity, const Node& node) const {
    if (!node.rewired || node.present == nullptr) return std::nullopt;
    const Link* const settings = link(node, {Facet::Kind::settings});
    for (const Link& link : node.links) {
        if (!stays_[link.step] || link.change->exists_only_once()) continue;
        if (settings != nullptr && settings->step >= link.step) continue;
        for (const Facet& facet : different_facets(link.change->before.get(), link.change->after.get())) {
            if (facet.kind != Facet::Kind::parameter || node.target->value(facet.parameter)) continue;
            if (!node.present->value(facet.parameter)) continue;
            const std::string_view name = facet.parameter;
            return bad_values(identity,
                              "node " + quoted(node.target->description->name) + " has no parameter " + quoted(name),
                              {&name, 1});
        }
    }
    return std::nullopt;
}

std::optional<UndoConflict> UndoTarget::taken_name() const {
    std::unordered_map<std::string, NodeIdentity> names;
    const auto taken = [&](NodeIdentity a, NodeIdentity b, const std::string& name) {
        UndoConflict conflict{.writers = {}, .lacking = {}, .reason = "node " + quoted(name) + " already exists"};
        for (const NodeIdentity identity : {a, b}) {
            if (const auto step = writer(identity, {Facet::Kind::name})) conflict.writers.push_back(*step);
        }
        return conflict;
    };
    for (const auto& [identity, node] : nodes_) {
        if (node.target == nullptr) continue;
        const std::string& name = node.target->description->name;
        const auto [other, is_new] = names.emplace(name, identity);
        if (!is_new) return taken(identity, other->second, name);
        const GraphNode* const present = graph_.find(name);
        if (present == nullptr || present->identity == identity) continue;
        // One that is considered, too, will have another name or be removed, or is found above.
        if (!nodes_.contains(present->identity)) return taken(identity, present->identity, name);
    }
    return std::nullopt;
}

std::optional<UndoConflict> UndoTarget::invalid_connection() const {
    for (const auto& [place, entry] : places_) {
        if (!entry.target) continue;
        const NodeDescription& to = *nodes_.at(place.to).target->description;
        const NodeDescription& from = *nodes_.at(place.from).target->description;
        const auto to_port = NodeLayout::find_port(to.layout.inputs, place.to_port);
        const auto from_port = NodeLayout::find_port(from.layout.outputs, place.from_port);
        if (to_port && from_port) {
            const std::uint32_t width = from.layout.outputs[*from_port].width;
            if (width == 1 || width == to.layout.inputs[*to_port].width) continue;
        }
        UndoConflict conflict{.writers = {},
                              .lacking = {place.to, place.from},
                              .reason = "the ports of " + from.name + ":" + place.from_port + " -> " + to.name + ":" +
                                        place.to_port + " do not fit"};
        if (entry.writer) conflict.writers.push_back(*entry.writer);
        for (const NodeIdentity end : conflict.lacking) {
            if (const auto step = writer(end, {Facet::Kind::settings})) conflict.writers.push_back(*step);
        }
        return conflict;
    }
    return std::nullopt;
}

/// Returns the nodes that a node feeds in the target.
std::vector<NodeIdentity> UndoTarget::fed_by(NodeIdentity identity) const {
    std::vector<NodeIdentity> targets;
    for (auto [arc, end] = fed_.equal_range(identity); arc != end; ++arc) targets.push_back(arc->second);
    const GraphNode* const node = find_actual(identity);
    if (node == nullptr) return targets;
    for (const NodeId target : node->targets()) {
        const GraphNode& destination = *graph_.find(target);
        const auto known = nodes_.find(destination.identity);
        if (known != nodes_.end() && known->second.target == nullptr) continue;
        // A connection that is considered counts above, if it stays.
        const bool considered = known != nodes_.end() && nodes_.contains(identity);
        const bool stays =
            !considered || std::ranges::any_of(incoming_of(graph_, destination, node->id),
                                               [&](const auto& one) { return !places_.contains(one.first); });
        if (stays) targets.push_back(destination.identity);
    }
    return targets;
}

/// Searches the target depth first, from each node that gets a connection.
std::optional<UndoConflict> UndoTarget::cycle() const {
    struct Visit {
        NodeIdentity node;
        std::vector<NodeIdentity> left;
    };
    std::set<NodeIdentity> starts;
    for (const auto& [place, entry] : places_) {
        if (entry.target && !entry.actual) starts.insert(place.to);
    }
    std::unordered_set<std::uint64_t> seen;
    for (const NodeIdentity start : starts) {
        if (!seen.insert(std::to_underlying(start)).second) continue;
        std::vector<Visit> path{{start, fed_by(start)}};
        std::set<NodeIdentity> on_path{start};
        while (!path.empty()) {
            if (path.back().left.empty()) {
                on_path.erase(path.back().node);
                path.pop_back();
                continue;
            }
            const NodeIdentity next = path.back().left.back();
            path.back().left.pop_back();
            if (on_path.contains(next)) {
                UndoConflict conflict{.writers = {}, .lacking = {}, .reason = "the connections would form a cycle"};
                NodeIdentity to = next;
                for (auto visit = path.rbegin(); visit != path.rend(); ++visit) {
                    if (const auto step = writer(visit->node, to)) conflict.writers.push_back(*step);
                    to = visit->node;
                    if (to == next) break;
                }
                return conflict;
            }
            if (!seen.insert(std::to_underlying(next)).second) continue;
            on_path.insert(next);
            path.push_back({next, fed_by(next)});
        }
    }
    return std::nullopt;
}

// ---------------------------------------------------------------------------------------------------------------------
// Edits

AudioGraph UndoTarget::part(bool target) const {
    AudioGraph graph;
    const auto record_of = [&](const Node& node) { return target ? node.target.get() : node.present.get(); };
    std::uint64_t id = 0;
    for (const auto& [identity, node] : nodes_) {
        ++id;  // the same in both parts
        const NodeRecord* const record = record_of(node);
        if (record == nullptr) continue;
        [[maybe_unused]] const auto added =
            graph.add_node(NodeId{id}, record->description, record->parameters, identity);
        assert(added && "taken_name() has found none");
    }
    for (const auto& [place, entry] : places_) {
        const auto& gain_db = target ? entry.target : entry.actual;
        if (!gain_db) continue;
        const std::string& from = record_of(nodes_.at(place.from))->description->name;
        const std::string& to = record_of(nodes_.at(place.to))->description->name;
        [[maybe_unused]] const auto connected =
            graph.connect(from + ":" + place.from_port, to + ":" + place.to_port, gain_db);
        assert(connected && "invalid_connection() has found none");
    }
    const GraphRecord record = target ? graph_target_ : GraphRecord{graph_.latency_compensation(), graph_.annotation()};
    graph.set_latency_compensation(record.latency_compensation);
    static_cast<void>(graph.set_annotation(record.annotation));
    return graph;
}

std::vector<Edit> UndoTarget::edits() const { return difference(part(false), part(true), Pairs::by_id, &graph_); }

std::vector<NodeIdentity> UndoTarget::concerned() const {
    std::vector<NodeIdentity> all;
    all.reserve(nodes_.size());
    for (const auto& [identity, node] : nodes_) all.push_back(identity);
    return all;
}

}  // namespace rta::api
