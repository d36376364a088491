// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <iterator>
#include <ostream>
#include <set>
#include <tuple>

#include "rtactl/context/context.h"
#include "rtactl/drawing/wording.h"
#include "rtactl/language/bridge.h"

namespace rta::rtactl::commands {

namespace {

std::string short_text(const GraphMirror& graph, const std::string& from, const std::string& to) {
    return graph.short_output(from) + " -> " + graph.short_input(to);
}

/// "x (2 connections: osc -> x, x -> out)"
std::string with_connections(const std::string& name, const GraphMirror& graph) {
    constexpr std::size_t kMostShown = 8;
    auto connections = graph.connections_of(name);
    std::ranges::sort(connections, {}, [&](const auto& connection) {
        return std::tuple{node_of(connection.to) != name, connection.from, connection.to};
    });
    if (connections.empty()) return name;
    std::string text = name + " (" + counted(connections.size(), "connection") + ": ";
    for (std::size_t i = 0; i < std::min(connections.size(), kMostShown); ++i)
        text.append(i == 0 ? "" : ", ").append(short_text(graph, connections[i].from, connections[i].to));
    if (connections.size() > kMostShown) text += " and " + std::to_string(connections.size() - kMostShown) + " more";
    return text + ")";
}

/// The edits that remove nodes, and what they do.
struct Removal {
    std::vector<v1::Edit> edits;
    std::string text;       ///< without its first word
    bool cuts_off = false;  ///< connections
};

Result<Removal> removal_of(std::span<const std::string> names, const GraphMirror& fetched, bool bridge) {
    GraphMirror graph = fetched;
    Removal removal;
    std::string connected;
    for (const std::string& name : names) {
        std::vector<v1::Edit> edits;
        if (bridge && graph.find(name) != nullptr) {
            auto bridged = bridge_edits(graph, name);
            if (!bridged) return fail(Exit::refused, std::move(bridged.error()));
            edits = std::move(*bridged);
        } else {
            edits.emplace_back().mutable_remove_node()->set_name(name);
        }
        removal.cuts_off = removal.cuts_off || !graph.connections_of(name).empty();
        removal.text.append(removal.text.empty() ? "" : ", ").append(with_connections(name, graph));
        for (const v1::Edit& edit : edits) {
            graph.apply(edit);
            if (!edit.has_connect()) continue;
            connected.append(connected.empty() ? "; connected " : ", ");
            connected.append(short_text(graph, edit.connect().from(), edit.connect().to()));
        }
        removal.edits.insert(removal.edits.end(), std::make_move_iterator(edits.begin()),
                             std::make_move_iterator(edits.end()));
    }
    removal.text += connected;
    return removal;
}

/// Fetches the nodes and, for a bridge, those that are connected to them.
Result<const GraphMirror*> fetch_nodes(Context& context, std::vector<std::string> names, bool bridge) {
    auto graph = context.fetch_graph(names);
    if (!graph || !bridge || context.transaction()) return graph;
    std::set<std::string> all{names.begin(), names.end()};
    for (const std::string& name : names) {
        for (const auto& connection : (*graph)->connections_of(name)) {
            all.emplace(node_of(connection.from));
            all.emplace(node_of(connection.to));
        }
    }
    return context.fetch_graph({all.begin(), all.end()});
}

Result<void> run_remove(Context& context, const Arguments& arguments) {
    const bool bridge = arguments.has("--bridge");
    const auto graph = fetch_nodes(context, arguments.words, bridge);
    if (!graph) return std::unexpected(graph.error());
    auto removal = removal_of(arguments.words, **graph, bridge);
    if (!removal) return std::unexpected(std::move(removal.error()));
    // What goes with the nodes must be known before the commit.
    if (context.transaction() && removal->cuts_off && !context.json())
        context.out() << "commit will remove " << removal->text << '\n';
    return context.edit(std::move(removal->edits), "removed " + removal->text);
}

constexpr auto kRemoveOptions = with_edit_options(
    std::array{Option{"--bridge", "", "Connect what fed the node to what it fed, with the sum of the gains."}});

}  // namespace

extern constinit const Command kRemove = checked({
    .position = 220,
    .name = "remove",
    .arguments = {Argument{"NAME", Expects::node, 1, kUnlimited}},
    .help = "Remove nodes and their connections.",
    .details =
        "With --bridge, every source of the node's input is connected to every destination of its output, in the\n"
        "same transaction. Only one input and one output of the node may be connected.",
    .example = "rtactl remove osc vol\n"
               "rtactl remove --bridge vol",
    .options = kRemoveOptions,
    .in_transaction = InTransaction::collected,
    .run = run_remove,
});

}  // namespace rta::rtactl::commands
