// SPDX-License-Identifier: MIT
#include "graph/difference.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace rta {
namespace {

/// A node that both graphs have, and that differs in them.
struct Pair {
    const GraphNode* before;
    const GraphNode* after;

    [[nodiscard]] bool changes_settings() const {
        return before->description->given_settings != after->description->given_settings;
    }
};

/// The nodes that differ between two graphs.
struct NodeDifferences {
    std::vector<Pair> pairs;
    std::vector<const GraphNode*> removed;
    std::vector<const GraphNode*> added;
};

/// Compares by id. Both graphs are sorted by id.
NodeDifferences compare_ids(const AudioGraph& from, const AudioGraph& to) {
    NodeDifferences found;
    const auto old_nodes = from.nodes();
    auto before = old_nodes.begin();
    for (const auto& after : to.nodes()) {
        if (before != old_nodes.end() && *before == after) {  // most nodes, which are not read
            ++before;
            continue;
        }
        for (; before != old_nodes.end() && (*before)->id < after->id; ++before) found.removed.push_back(before->get());
        if (before == old_nodes.end() || (*before)->id != after->id) {
            found.added.push_back(after.get());
            continue;
        }
        found.pairs.push_back({before->get(), after.get()});
        ++before;
    }
    for (; before != old_nodes.end(); ++before) found.removed.push_back(before->get());
    return found;
}

std::optional<std::uint32_t> mapped_port(std::span<const NodeLayout::Port> before,
                                         std::span<const NodeLayout::Port> after, std::uint32_t port) {
    const bool same_place = port < after.size() && after[port].name == before[port].name;
    const auto index = same_place ? std::optional{port} : NodeLayout::find_port(after, before[port].name);
    if (!index || after[*index].width != before[port].width) return std::nullopt;
    return index;
}

bool accepts(const NodeDescription& node, std::uint32_t parameter, float value) {
    return check_parameter(node.layout.parameters[parameter], value, node.name).has_value();
}

/// Returns a name that none of the graphs has.
std::string spare_name(std::initializer_list<const AudioGraph*> graphs) {
    for (std::size_t number = 1;; ++number) {
        std::string name = "renamed_" + std::to_string(number);
        const auto has_it = [&](const AudioGraph* graph) { return graph != nullptr && graph->find(name) != nullptr; };
        if (std::ranges::none_of(graphs, has_it)) return name;
    }
}

class Comparison {
 public:
    Comparison(const AudioGraph& from, const AudioGraph& to, Pairs by, const AudioGraph* whole)
        : from_{from}, to_{to}, whole_{whole}, nodes_{compare_ids(from, to)} {
        if (by == Pairs::by_id_or_name) pair_by_name();
        if (by == Pairs::by_identity) pair_by_identity();
        rebuild_incompatible();
        for (const Pair& pair : nodes_.pairs) {
            if (pair.before->id != pair.after->id) successors_.emplace(pair.before->id.value(), pair.after);
        }
        for (const GraphNode* const node : nodes_.removed) removed_.insert(node->id);
    }

    std::vector<Edit> edits() && {
        compare_connections();
        // First what frees names, ports and names of connections; last, what needs all nodes.
        std::ranges::move(disconnected_, std::back_inserter(edits_));
        for (const GraphNode* const node : nodes_.removed) edits_.emplace_back(RemoveNode{node->name()});
        rename();
        for (const Pair& pair : nodes_.pairs) change(pair);
        for (const GraphNode* const node : nodes_.added) add(*node);
        std::ranges::move(connected_, std::back_inserter(edits_));
        if (from_.latency_compensation() != to_.latency_compensation())
            edits_.emplace_back(SetLatencyCompensation{to_.latency_compensation()});
        describe("", from_.annotation(), to_.annotation());
        return std::move(edits_);
    }

 private:
    using Nodes = std::vector<const GraphNode*>;

    /// A node that was replaced, as by ChangeSettings, has another id.
    void pair_by_name() {
        std::map<std::string_view, const GraphNode*> removed;
        for (const GraphNode* const node : nodes_.removed) removed.emplace(node->name(), node);
        pair_with(removed, [](const GraphNode& node) -> std::string_view { return node.name(); });
    }

    /// Pairs added nodes with removed ones of the same type, which are found by the key of the added ones.
    void pair_with(const auto& removed, auto key_of) {
        std::set<const GraphNode*> replaced;
        std::erase_if(nodes_.added, [&](const GraphNode* after) {
            const auto before = removed.find(key_of(*after));
            if (before == removed.end() || before->second->description->type != after->description->type) return false;
            nodes_.pairs.push_back({before->second, after});
            replaced.insert(before->second);
            return true;
        });
        std::erase_if(nodes_.removed, [&](const GraphNode* before) { return replaced.contains(before); });
    }

    void pair_by_identity() {
        std::erase_if(nodes_.pairs, [&](const Pair& pair) {
            if (pair.before->identity == pair.after->identity) return false;
            nodes_.removed.push_back(pair.before);
            nodes_.added.push_back(pair.after);
            return true;
        });
        std::map<NodeIdentity, const GraphNode*> removed;
        for (const GraphNode* const node : nodes_.removed) removed.emplace(node->identity, node);
        pair_with(removed, [](const GraphNode& node) { return node.identity; });
    }

    /// Nodes of another type under the same id, and those with a parameter that has no value that is valid before and
    /// after the change of the settings, are removed and added again.
    void rebuild_incompatible() {
        std::erase_if(nodes_.pairs, [&](const Pair& pair) {
            if (pair.before->description->type == pair.after->description->type && can_change(pair)) return false;
            nodes_.removed.push_back(pair.before);
            nodes_.added.push_back(pair.after);
            return true;
        });
    }

    [[nodiscard]] static bool can_change(const Pair& pair) {
        const NodeDescription& before = *pair.before->description;
        const NodeDescription& after = *pair.after->description;
        if (!pair.changes_settings()) return true;
        for (std::uint32_t p = 0; p < before.layout.parameters.size(); ++p) {
            const auto index = after.layout.find_parameter(before.layout.parameters[p].name);
            if (!index || accepts(after, *index, pair.before->parameters[p])) continue;
            if (!accepts(before, p, pair.after->parameters[*index])) return false;
        }
        return true;
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Connections

    [[nodiscard]] const GraphNode* successor(NodeId before) const {
        if (const auto found = successors_.find(before.value()); found != successors_.end()) return found->second;
        return removed_.contains(before) ? nullptr : to_.find(before);
    }

    /// Returns the connection in the other graph, if it has both ports with the same widths.
    [[nodiscard]] std::optional<IncomingConnection> mapped(const Pair& pair, const IncomingConnection& connection,
                                                           const GraphNode& source) const {
        const auto to_port = mapped_port(pair.before->description->layout.inputs,
                                         pair.after->description->layout.inputs, connection.to_port);
        const auto from_port = mapped_port(from_.find(connection.from.node)->description->layout.outputs,
                                           source.description->layout.outputs, connection.from.port);
        if (!to_port || !from_port) return std::nullopt;
        return IncomingConnection{*to_port, {source.id, *from_port}, connection.gain_db};
    }

    void compare_connections() {
        for (const Pair& pair : nodes_.pairs) compare_incoming(pair);
        for (const GraphNode* const node : nodes_.added) {
            for (const IncomingConnection& connection : node->incoming) connect(*node, connection);
        }
    }

    void compare_incoming(const Pair& pair) {
        std::map<std::tuple<std::uint32_t, PortRef>, float> kept;
        for (const IncomingConnection& connection : pair.before->incoming) {
            const GraphNode* const source = successor(connection.from.node);
            if (source == nullptr) continue;  // removed with its connections
            const auto same = mapped(pair, connection, *source);
            const GraphNode& after = *pair.after;
            if (same && to_.find(ConnectionKey{{after.id, same->to_port}, same->from}) != nullptr) {
                kept.emplace(std::tuple{same->to_port, same->from}, same->gain_db);
            } else {
                disconnected_.emplace_back(Disconnect{from_.output_name(connection.from),
                                                      from_.input_name({pair.before->id, connection.to_port})});
            }
        }
        for (const IncomingConnection& connection : pair.after->incoming) {
            const auto known = kept.find({connection.to_port, connection.from});
            if (known == kept.end() || known->second != connection.gain_db) connect(*pair.after, connection);
        }
    }

    void connect(const GraphNode& node, const IncomingConnection& connection) {
        connected_.emplace_back(Connect{to_.output_name(connection.from), to_.input_name({node.id, connection.to_port}),
                                        connection.gain_db});
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Nodes

    /// Renames in an order in which every new name is free.
    void rename() {
        std::map<std::string, std::string, std::less<>> waiting;
        for (const Pair& pair : nodes_.pairs) {
            if (pair.before->name() != pair.after->name()) waiting.emplace(pair.before->name(), pair.after->name());
        }
        while (!waiting.empty()) {
            const auto first = waiting.begin();
            // The new name of each is the old name of the next one.
            std::vector<std::pair<std::string, std::string>> chain{*first};
            while (chain.back().second != first->first) {
                const auto next = waiting.find(chain.back().second);
                if (next == waiting.end()) break;
                chain.emplace_back(*next);
            }
            for (const auto& [name, new_name] : chain) waiting.erase(name);
            if (chain.back().second == chain.front().first) {
                const std::string spare = spare_name({&from_, &to_, whole_});
                edits_.emplace_back(RenameNode{chain.front().first, spare});
                chain.front().first = spare;
            }
            for (auto link = chain.rbegin(); link != chain.rend(); ++link)
                edits_.emplace_back(RenameNode{link->first, link->second});
        }
    }

    void change(const Pair& pair) {
        const NodeDescription& before = *pair.before->description;
        const NodeDescription& after = *pair.after->description;
        std::vector<float> values = pair.before->parameters;
        if (pair.changes_settings()) {
            values = values_before_rebuild(pair);
            change_settings(before, after);
            values = values_after_rebuild(pair, values);
        }
        for (std::uint32_t p = 0; p < values.size(); ++p) {
            if (values[p] != pair.after->parameters[p]) set_parameter(after, p, pair.after->parameters[p]);
        }
        describe(after.name, before.annotation, after.annotation);
    }

    /// Sets the parameters that the new settings would not accept, and returns all values.
    std::vector<float> values_before_rebuild(const Pair& pair) {
        const NodeDescription& before = *pair.before->description;
        const NodeDescription& after = *pair.after->description;
        std::vector<float> values = pair.before->parameters;
        for (std::uint32_t p = 0; p < values.size(); ++p) {
            const auto index = after.layout.find_parameter(before.layout.parameters[p].name);
            if (!index || accepts(after, *index, values[p])) continue;
            values[p] = pair.after->parameters[*index];
            set_parameter(after, *index, values[p]);
        }
        return values;
    }

    [[nodiscard]] static std::vector<float> values_after_rebuild(const Pair& pair, std::span<const float> values) {
        const NodeLayout& before = pair.before->description->layout;
        const NodeLayout& after = pair.after->description->layout;
        std::vector<float> kept;
        for (const ParameterSpec& spec : after.parameters) {
            const auto index = before.find_parameter(spec.name);
            kept.push_back(index ? values[*index] : spec.default_value);
        }
        return kept;
    }

    void change_settings(const NodeDescription& before, const NodeDescription& after) {
        ChangeSettings change{.node = after.name, .settings = {}, .defaults = {}};
        const Settings& given = after.given_settings;
        for (const auto& [name, value] : given) {
            const auto known = before.given_settings.find(name);
            if (known == before.given_settings.end() || known->second != value) change.settings.emplace(name, value);
        }
        for (const auto& [name, value] :
             changed_settings(after.type->settings, before.given_settings, change.settings)) {
            if (!given.contains(name)) change.defaults.push_back(name);
        }
        edits_.emplace_back(std::move(change));
    }

    void set_parameter(const NodeDescription& node, std::uint32_t parameter, float value) {
        edits_.emplace_back(SetParameter{.node = node.name,
                                         .parameter = std::string{node.layout.parameters[parameter].name},
                                         .value = value,
                                         .ramp_ms = {}});
    }

    void add(const GraphNode& node) {
        const NodeDescription& description = *node.description;
        AddNode edit{
            std::string{description.type->name}, node.name(), description.given_settings, {}, description.annotation,
            std::to_underlying(node.identity)};
        for (std::size_t p = 0; p < node.parameters.size(); ++p)
            edit.parameters.emplace(description.layout.parameters[p].name, node.parameters[p]);
        edits_.emplace_back(std::move(edit));
    }

    void describe(const std::string& node, const Annotation& before, const Annotation& after) {
        if (before == after) return;
        Describe edit{node, {}, {}};
        if (before.title != after.title) edit.title = after.title;
        if (before.description != after.description) edit.description = after.description;
        edits_.emplace_back(std::move(edit));
    }

    const AudioGraph& from_;
    const AudioGraph& to_;
    const AudioGraph* whole_;
    NodeDifferences nodes_;
    std::unordered_map<std::uint64_t, const GraphNode*> successors_;  ///< of pairs with different ids, by the old one
    std::set<NodeId> removed_;
    std::vector<Edit> edits_;
    std::vector<Edit> disconnected_;
    std::vector<Edit> connected_;
};

std::size_t size_of(const GraphNode& node) {
    return 1 + node.incoming.size() + node.outgoing.size() + node.parameters.size();
}

}  // namespace

std::vector<Edit> difference(const AudioGraph& from, const AudioGraph& to, Pairs by, const AudioGraph* whole) {
    return Comparison{from, to, by, whole}.edits();
}

std::size_t difference_size(const AudioGraph& from, const AudioGraph& to) {
    const NodeDifferences nodes = compare_ids(from, to);
    std::size_t size = 0;
    for (const Pair& pair : nodes.pairs) size += size_of(*pair.before) + size_of(*pair.after);
    for (const GraphNode* const node : nodes.removed) size += size_of(*node);
    for (const GraphNode* const node : nodes.added) size += size_of(*node);
    return size;
}

}  // namespace rta
