// SPDX-License-Identifier: MIT
#include "support/random_edits.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

namespace rta::test {
namespace {

/// More inputs would make the signal louder and louder.
constexpr std::size_t kMostInputs = 4;
constexpr std::size_t kMostNodes = 12;  ///< of a region
constexpr float kHalfDb = -6.0205999F;

constexpr auto kMemoryless =
    std::to_array<std::string_view>({"gain", "gain", "gain", "mixer", "meter", "constant", "matrix", "pan"});
constexpr auto kRemembering = std::to_array<std::string_view>(
    {"gain",       "gain",       "mixer",      "biquad_filter", "equalizer",  "delay_line", "limiter", "limiter",
     "limiter",    "compressor", "compressor", "soft_clip",     "dc_blocker", "crossover",  "noise",   "sine",
     "oscillator", "reverb",     "gate",       "gate",          "pan",        "matrix",     "impulse"});
constexpr std::array<std::string_view, 2> kViews{"split", "merge"};

std::string prefix_of(std::size_t region) { return "r" + std::to_string(region) + "_"; }
std::string_view node_of(std::string_view end) { return end.substr(0, end.find(':')); }
std::string_view port_of(std::string_view end) { return end.substr(node_of(end).size()); }
bool has_inputs(std::string_view type) {
    return type != "input" && type != "constant" && type != "noise" && type != "sine" && type != "oscillator" &&
           type != "impulse";
}
bool has_several_inputs(std::string_view type) { return type == "mixer" || type == "matrix" || type == "merge"; }
bool has_several_outputs(std::string_view type) { return type == "crossover" || type == "matrix" || type == "split"; }
bool is_view(std::string_view type) { return std::ranges::find(kViews, type) != kViews.end(); }
bool has_look_ahead(std::string_view type) { return type == "limiter" || type == "compressor" || type == "gate"; }
bool same_ends(const GraphDocument::Connection& a, const GraphDocument::Connection& b) {
    return a.from == b.from && a.to == b.to;
}
/// Returns the second port of nodes that have several.
std::string second_port(const std::string& end) {
    const bool has_several = port_of(end) == ":in_1" || port_of(end) == ":out_1";
    return has_several ? end.substr(0, end.size() - 1) + '2' : end;
}
float random_gain_db(std::uint32_t random) {
    constexpr std::array kGainsDb{0.0F, kHalfDb, -12.0F, -120.0F};
    return kGainsDb[random % kGainsDb.size()];
}

}  // namespace

GraphDocument RandomEdits::start(std::size_t regions, const RandomEditLimits& limits) {
    GraphDocument graph;
    for (std::size_t region = 0; region < regions; ++region) {
        const std::string prefix = prefix_of(region);
        const auto channels = static_cast<double>(limits.channels);
        const auto first_out = static_cast<double>(region * limits.channels + 1);
        graph.nodes.push_back({prefix + "in", "input", {{"first_channel", static_cast<double>(region + 1)}}, {}});
        graph.nodes.push_back({prefix + "gain", "gain", {{"channels", channels}}, {}});
        graph.nodes.push_back({prefix + "out", "output", {{"first_channel", first_out}, {"channels", channels}}, {}});
        graph.connections.push_back({prefix + "in", prefix + "gain", {}});
        graph.connections.push_back({prefix + "gain", prefix + "out", {}});
    }
    return graph;
}

void RandomEdits::add(const RandomEdit& edit) {
    switch (edit.kind) {
        case RandomEdit::Kind::insert:
            return insert(edit);
        case RandomEdit::Kind::split:
            return split(edit);
        case RandomEdit::Kind::add:
            if (const std::string name = add_node(edit.region, edit.first); edit.second % 2 == 0 && !name.empty()) {
                const auto from = any_connection(edit.region, edit.second / 2);
                if (from && !input_of(name).empty()) connect(from->from, input_of(name), 0.0F);
            }
            return;
        case RandomEdit::Kind::add_output:
            return add_output(edit);
        case RandomEdit::Kind::remove:
            return remove(edit);
        case RandomEdit::Kind::exchange:
            return exchange(edit);
        case RandomEdit::Kind::swap:
            return swap(edit);
        case RandomEdit::Kind::reverse:
            return reverse(edit);
        case RandomEdit::Kind::plug:
            return plug(edit);
        case RandomEdit::Kind::unplug:
            return unplug(edit);
        case RandomEdit::Kind::connect:
            return connect_any(edit);
        case RandomEdit::Kind::level:
            if (const auto connection = any_connection(edit.region, edit.first))
                connect(connection->from, connection->to, random_gain_db(edit.second));
            return;
        case RandomEdit::Kind::disconnect:
            if (const auto connection = any_connection(edit.region, edit.first)) disconnect(*connection);
            return;
        case RandomEdit::Kind::rename:
            return rename(edit);
        case RandomEdit::Kind::settings:
            return change_settings(edit);
        case RandomEdit::Kind::parameter:
            return set_parameter(edit);
        case RandomEdit::Kind::compensate:
            graph_.latency_compensation = edit.first % 2 == 0;
            edits_.emplace_back(SetLatencyCompensation{graph_.latency_compensation});
            return;
        case RandomEdit::Kind::count:
            return;
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Kinds of edits

void RandomEdits::insert(const RandomEdit& edit) {
    const auto connection = any_connection(edit.region, edit.first);
    if (!connection) return;
    const std::string name = add_node(edit.region, edit.second);
    if (name.empty()) return;
    if (is_view(find(name)->type) && edit.first % 4 != 0) return insert_pair(*connection, name, edit.first / 4);
    insert_into(*connection, name);
}

/// Adds the opposite of a split or merge, and inserts both: the split first if most ports have two channels, otherwise the
/// merge. Channels may be exchanged, and a merge may get the same signal twice.
void RandomEdits::insert_pair(const Connection& connection, const std::string& node, std::uint32_t random) {
    const bool is_split = find(node)->type == "split";
    const std::string other = add_to_graph(
        {.name = node + "x", .type = is_split ? "merge" : "split", .settings = {{"channels", 2.0}}, .parameters = {}});
    const std::string& split = is_split ? node : other;
    const std::string& merge = is_split ? other : node;
    const bool crossed = random % 2 == 0;
    disconnect(connection);
    if (limits_.channels == 2) {
        connect(connection.from, split, 0.0F);
        connect(split + ":out_1", merge + (crossed ? ":in_2" : ":in_1"), 0.0F);
        connect(split + ":out_2", merge + (crossed ? ":in_1" : ":in_2"), random / 2 % 2 == 0 ? 0.0F : kHalfDb);
        connect(merge, connection.to, connection.gain_db.value_or(0.0F));
    } else {
        connect(connection.from, merge + ":in_1", 0.0F);
        if (crossed) connect(connection.from, merge + ":in_2", random / 2 % 2 == 0 ? 0.0F : kHalfDb);
        connect(merge, split, 0.0F);
        connect(split + (crossed ? ":out_2" : ":out_1"), connection.to, connection.gain_db.value_or(0.0F));
    }
}

void RandomEdits::split(const RandomEdit& edit) {
    const std::string other = any_inner(edit.region, edit.first);
    const std::string name = other.empty() ? "" : add_node(edit.region, edit.second);
    if (name.empty()) return;
    if (const std::string input = input_of(name); !input.empty()) {
        for (const Connection& connection : connections_to(other)) connect(connection.from, input, kHalfDb);
    }
    for (const Connection& connection : connections_from(other)) connect(output_of(name), connection.to, kHalfDb);
}

void RandomEdits::add_output(const RandomEdit& edit) {
    const Node* const original = find(prefix_of(edit.region) + "out");
    const auto connection = any_connection(edit.region, edit.first);
    if (original == nullptr || !connection) return;
    const std::string name = prefix_of(edit.region) + "out" + std::to_string(next_name_++);
    graph_.nodes.push_back({name, original->type, original->settings, {}});
    edits_.emplace_back(AddNode{"output", name, graph_.nodes.back().settings, {}});
    connect(connection->from, name, kHalfDb);
}

void RandomEdits::remove(const RandomEdit& edit) {
    std::string name = any_inner(edit.region, edit.first);
    if (edit.second % 8 == 0) {
        const auto connection = any_connection(edit.region, edit.first);
        if (connection) name = node_of(connection->to);  // may be an output
    }
    if (name.empty()) return;
    if (edit.second % 2 == 0) bridge(name);
    std::erase_if(graph_.connections,
                  [&](const Connection& c) { return node_of(c.from) == name || node_of(c.to) == name; });
    std::erase_if(graph_.nodes, [&](const Node& node) { return node.name == name; });
    edits_.emplace_back(RemoveNode{name});
}

void RandomEdits::exchange(const RandomEdit& edit) {
    const std::string name = any_inner(edit.region, edit.first);
    if (name.empty()) return;
    const std::vector<Connection> inputs = connections_to(name);
    const std::vector<Connection> outputs = connections_from(name);
    std::erase_if(graph_.connections,
                  [&](const Connection& c) { return node_of(c.from) == name || node_of(c.to) == name; });
    std::erase_if(graph_.nodes, [&](const Node& node) { return node.name == name; });
    edits_.emplace_back(RemoveNode{name});
    add_to_graph(make_node(name, edit.second));
    if (const std::string input = input_of(name); !input.empty()) {
        for (const Connection& connection : inputs) connect(connection.from, input, connection.gain_db.value_or(0.0F));
    }
    for (const Connection& connection : outputs)
        connect(output_of(name), connection.to, connection.gain_db.value_or(0.0F));
}

/// Only nodes with one input and one output: the names of ports must fit.
void RandomEdits::swap(const RandomEdit& edit) {
    const std::string one = any_inner(edit.region, edit.first);
    const std::string other = any_inner(edit.region, edit.second);
    if (one.empty() || one == other) return;
    const auto swapped = [&](const std::string& end) {
        const std::string_view node = node_of(end);
        if (!port_of(end).empty() || (node != one && node != other)) return end;
        return node == one ? other : one;
    };
    reconnect([&](const Connection& connection) {
        return Connection{swapped(connection.from), swapped(connection.to), connection.gain_db};
    });
}

void RandomEdits::reverse(const RandomEdit& edit) {
    const std::vector<std::string> nodes = path(any_inner(edit.region, edit.first));
    if (nodes.size() < 2) return;
    const auto place = [&](const std::string& end) { return std::ranges::find(nodes, end) - nodes.begin(); };
    const auto size = static_cast<std::ptrdiff_t>(nodes.size());
    const auto mirrored = [&](const std::string& end) {
        const auto index = place(end);
        return index == size ? end : nodes[static_cast<std::size_t>(size - 1 - index)];
    };
    reconnect([&](const Connection& connection) {
        const auto from = place(connection.from);
        const auto to = place(connection.to);
        if (from != size && to == from + 1)
            return Connection{mirrored(connection.from), mirrored(connection.to), connection.gain_db};
        if (from == size && to == 0) return Connection{connection.from, nodes.back(), connection.gain_db};
        if (to == size && from == size - 1) return Connection{nodes.front(), connection.to, connection.gain_db};
        return connection;
    });
}

void RandomEdits::plug(const RandomEdit& edit) {
    const auto connection = any_connection(edit.region, edit.first);
    std::vector<std::string> spare;
    for (const Node& node : graph_.nodes) {
        if (node.name.starts_with(prefix_of(edit.region)) && node.type != "output" &&
            connections_from(node.name).empty())
            spare.push_back(node.name);
    }
    if (connection && !spare.empty()) insert_into(*connection, spare[edit.second % spare.size()]);
}

void RandomEdits::unplug(const RandomEdit& edit) {
    const std::string name = any_inner(edit.region, edit.first);
    if (name.empty()) return;
    bridge(name);
    disconnect_all(name);
}

void RandomEdits::connect_any(const RandomEdit& edit) {
    const auto from = any_connection(edit.other_region, edit.first);
    const auto to = any_connection(edit.region, edit.second);
    if (!from || !to) return;
    const bool others = edit.second / 4'096 % 2 == 0;
    connect(others ? second_port(from->from) : from->from, others ? second_port(to->to) : to->to,
            random_gain_db(edit.second / 256));
}

void RandomEdits::rename(const RandomEdit& edit) {
    const std::string name = any_inner(edit.region, edit.first);
    if (name.empty()) return;
    const std::string other = prefix_of(edit.region) + "n" + std::to_string(next_name_++);
    for (Node& node : graph_.nodes) {
        if (node.name == name) node.name = other;
    }
    for (Connection& connection : graph_.connections) {
        for (std::string* const end : {&connection.from, &connection.to}) {
            if (node_of(*end) == name) end->replace(0, name.size(), other);
        }
    }
    edits_.emplace_back(RenameNode{name, other});
}

void RandomEdits::change_settings(const RandomEdit& edit) {
    const std::string name = any_inner(edit.region, edit.first);
    for (Node& node : graph_.nodes) {
        if (node.name != name || !has_look_ahead(node.type)) continue;
        const Settings changed{{"look_ahead_ms", 1.0 + edit.second % 20}};
        node.settings["look_ahead_ms"] = changed.at("look_ahead_ms");
        edits_.emplace_back(ChangeSettings{name, changed});
    }
}

void RandomEdits::set_parameter(const RandomEdit& edit) {
    Node& node = graph_.nodes[edit.first % graph_.nodes.size()];
    const auto change = random_parameter(node, edit.second);
    if (!change || !node.name.starts_with(prefix_of(edit.region))) return;
    node.parameters[change->parameter] = change->value;
    edits_.emplace_back(*change);
}

// ---------------------------------------------------------------------------------------------------------------------
// Nodes and connections

RandomEdits::Node RandomEdits::make_node(std::string name, std::uint32_t random) const {
    const std::span<const std::string_view> types = limits_.remembering
                                                        ? std::span<const std::string_view>{kRemembering}
                                                        : std::span<const std::string_view>{kMemoryless};
    Node node{
        .name = std::move(name), .type = std::string{types[random % types.size()]}, .settings = {}, .parameters = {}};
    const std::uint32_t rest = random / 32;
    if (limits_.views && rest % 3 == 0) node.type = kViews[rest / 3 % kViews.size()];
    if (is_view(node.type)) {
        node.settings["channels"] = 2.0;
        return node;
    }
    if (node.type == "pan" && limits_.channels == 1) node.type = "gain";  // it has two outputs
    // Between a split and a merge, nodes of one channel fit.
    const std::uint32_t channels = limits_.views && rest % 5 == 0 ? 1 : limits_.channels;
    if (has_inputs(node.type) && node.type != "matrix") node.settings["channels"] = static_cast<double>(channels);
    if (node.type == "pan" && rest % 4 == 0) node.settings["channels"] = 1.0;
    if (node.type == "matrix") node.parameters = {{"gain_1_1_db", 0.0F}, {"gain_1_2_db", -6.0F}, {"gain_2_2_db", 0.0F}};
    if (has_look_ahead(node.type) && rest % 4 != 0) node.settings["look_ahead_ms"] = 1.0 + rest / 4 % 20;
    if (node.type == "limiter" && rest % 4 == 0) node.settings["look_ahead_ms"] = 0.5;
    if (node.type == "delay_line") node.settings["max_time_ms"] = 50.0;
    if (node.type == "delay_line") node.parameters["time_ms"] = static_cast<float>(rest % 40);
    if (const auto parameter = random_parameter(node, rest)) node.parameters[parameter->parameter] = parameter->value;
    return node;
}

/// Returns the name of a new node; empty if the region is full.
std::string RandomEdits::add_node(std::size_t region, std::uint32_t random) {
    const std::string prefix = prefix_of(region);
    const auto count =
        std::ranges::count_if(graph_.nodes, [&](const Node& node) { return node.name.starts_with(prefix); });
    if (static_cast<std::size_t>(count) >= kMostNodes) return {};
    return add_to_graph(make_node(prefix + "n" + std::to_string(next_name_++), random));
}

std::string RandomEdits::add_to_graph(Node node) {
    edits_.emplace_back(AddNode{node.type, node.name, node.settings, node.parameters});
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.back().name;
}

/// Generators are connected to where the connection leads.
void RandomEdits::insert_into(const Connection& connection, const std::string& node) {
    const std::string input = input_of(node);
    if (!input.empty()) {
        disconnect(connection);
        connect(connection.from, input, 0.0F);
    }
    connect(output_of(node), connection.to, connection.gain_db.value_or(0.0F));
}

/// Connects what feeds the node with what it feeds.
void RandomEdits::bridge(const std::string& node) {
    for (const Connection& in : connections_to(node)) {
        for (const Connection& out : connections_from(node)) connect(in.from, out.to, out.gain_db.value_or(0.0F));
    }
}

void RandomEdits::disconnect_all(const std::string& node) {
    for (const Connection& connection : connections_to(node)) disconnect(connection);
    for (const Connection& connection : connections_from(node)) disconnect(connection);
}

void RandomEdits::connect(const std::string& from, const std::string& to, float gain_db) {
    const auto inputs = std::ranges::count(graph_.connections, to, &Connection::to);
    const Connection connection{from, to, gain_db};
    const auto known =
        std::ranges::find_if(graph_.connections, [&](const auto& c) { return same_ends(c, connection); });
    if (known == graph_.connections.end() && static_cast<std::size_t>(inputs) >= kMostInputs) return;
    edits_.emplace_back(Connect{from, to, gain_db});
    if (known != graph_.connections.end()) {
        known->gain_db = gain_db;
    } else {
        graph_.connections.push_back(connection);
    }
}

void RandomEdits::disconnect(const Connection& connection) {
    if (std::erase_if(graph_.connections, [&](const Connection& c) { return same_ends(c, connection); }) != 0)
        edits_.emplace_back(Disconnect{connection.from, connection.to});
}

/// Replaces connections by others.
void RandomEdits::reconnect(const std::function<Connection(const Connection&)>& changed) {
    std::vector<Connection> added;
    for (const Connection& connection : std::vector{graph_.connections}) {
        Connection other = changed(connection);
        if (same_ends(other, connection)) continue;
        disconnect(connection);
        added.push_back(std::move(other));
    }
    for (const Connection& connection : added)
        connect(connection.from, connection.to, connection.gain_db.value_or(0.0F));
}

// ---------------------------------------------------------------------------------------------------------------------
// Searching

const RandomEdits::Node* RandomEdits::find(std::string_view name) const {
    const auto found = std::ranges::find(graph_.nodes, name, &Node::name);
    return found == graph_.nodes.end() ? nullptr : &*found;
}

/// Returns the first input; empty if the node is a generator.
std::string RandomEdits::input_of(std::string_view node) const {
    const Node* const found = find(node);
    if (found == nullptr || !has_inputs(found->type)) return {};
    return found->name + (has_several_inputs(found->type) ? ":in_1" : "");
}

std::string RandomEdits::output_of(std::string_view node) const {
    const Node* const found = find(node);
    assert(found != nullptr);
    return found->name + (has_several_outputs(found->type) ? ":out_1" : "");
}

std::vector<RandomEdits::Connection> RandomEdits::connections_from(std::string_view node) const {
    std::vector<Connection> found;
    std::ranges::copy_if(graph_.connections, std::back_inserter(found),
                         [&](const Connection& connection) { return node_of(connection.from) == node; });
    return found;
}

std::vector<RandomEdits::Connection> RandomEdits::connections_to(std::string_view node) const {
    std::vector<Connection> found;
    std::ranges::copy_if(graph_.connections, std::back_inserter(found),
                         [&](const Connection& connection) { return node_of(connection.to) == node; });
    return found;
}

std::string RandomEdits::any_inner(std::size_t region, std::uint32_t random) const {
    std::vector<std::string> names;
    for (const Node& node : graph_.nodes) {
        if (node.name.starts_with(prefix_of(region)) && has_inputs(node.type) && node.type != "output")
            names.push_back(node.name);
    }
    return names.empty() ? "" : names[random % names.size()];
}

std::optional<RandomEdits::Connection> RandomEdits::any_connection(std::size_t region, std::uint32_t random) const {
    std::vector<Connection> found;
    std::ranges::copy_if(graph_.connections, std::back_inserter(found), [&](const Connection& connection) {
        return connection.to.starts_with(prefix_of(region)) || connection.from.starts_with(prefix_of(region));
    });
    if (found.empty()) return std::nullopt;
    return found[random % found.size()];
}

/// Returns the inner nodes of one input and one output that follow a node.
std::vector<std::string> RandomEdits::path(const std::string& start) const {
    std::vector<std::string> nodes;
    const Node* node = find(start);
    // The edits before this one may have closed a cycle.
    const auto is_new = [&](const Node& next) { return std::ranges::find(nodes, next.name) == nodes.end(); };
    while (node != nullptr && is_new(*node) && node->type != "output" && !has_several_inputs(node->type) &&
           !has_several_outputs(node->type)) {
        nodes.push_back(node->name);
        const std::vector<Connection> next = connections_from(node->name);
        node = next.empty() ? nullptr : find(node_of(next.front().to));
    }
    return nodes;
}

}  // namespace rta::test
