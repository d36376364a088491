// SPDX-License-Identifier: MIT
#include <algorithm>
#include <span>

#include "rtactl/context/context.h"
#include "rtactl/language/assignment.h"
#include "rtactl/language/edits.h"
#include "rtactl/language/type_table.h"
#include "text/suggestion.h"

namespace rta::rtactl::commands {

namespace {

/// Returns the only connection that A and B can mean.
Result<GraphMirror::ConnectionInfo> find_connection(const GraphMirror& graph, const std::string& a,
                                                    const std::string& b) {
    std::vector<std::string_view> names;
    for (const auto& [name, node] : graph.nodes()) names.emplace_back(name);
    for (const std::string& port : {a, b}) {
        const std::string_view node = node_of(port);
        if (graph.find(node) == nullptr) return not_found(unknown_name("node", node, names));
    }
    std::vector<GraphMirror::ConnectionInfo> found = graph.connections(a, b);
    if (found.empty()) return not_found("there is no connection " + a + " -> " + b);
    if (found.size() > 1) {
        std::string all;
        for (const auto& connection : found)
            all.append(all.empty() ? "" : ", ").append(connection.from).append(" -> ").append(connection.to);
        return fail(Exit::refused, "connection " + a + " -> " + b + " is ambiguous; expected one of: " + all);
    }
    return std::move(found.front());
}

/// Returns the number of channels of an output; 0 if it is not known.
double width_of(const Context& context, const GraphMirror& graph, std::string_view from) {
    const GraphMirror::NodeInfo* node = graph.find(node_of(from));
    const v1::NodeType* type = node == nullptr ? nullptr : context.find_type(node->type);
    if (type == nullptr) return 0;
    const std::string_view port = from.substr(std::min(node_of(from).size() + 1, from.size()));
    for (const v1::PortInfo& output : type->outputs()) {
        const bool matches = output.name() == port || output.has_repeated_by();
        if (matches && output.width() != 0) return output.width();
    }
    return number_setting(*type, node->settings, "channels");
}

Result<void> run_insert(Context& context, const Arguments& arguments) {
    const std::string& a = arguments.words[2];
    const std::string& b = arguments.words[3];
    const auto assignments = parse_assignments(std::span{arguments.words}.subspan(4));
    if (!assignments) return usage_error(assignments.error());
    const auto graph = context.fetch_graph({std::string{node_of(a)}, std::string{node_of(b)}});
    if (!graph) return std::unexpected(graph.error());
    const auto connection = find_connection(**graph, a, b);
    if (!connection) return std::unexpected(connection.error());

    v1::Edit add;
    v1::Node& node = *add.mutable_add_node();
    node.set_type(arguments.words[0]);
    node.set_name(arguments.words[1]);
    const v1::NodeType* type = context.find_type(node.type());
    if (auto assigned = assign(type, *assignments, node); !assigned)
        return usage_error(node.name() + ": " + assigned.error());
    const auto channels = type == nullptr ? std::nullopt : find_setting(*type, "channels");
    const double width = width_of(context, **graph, connection->from);
    const bool given = std::ranges::find(*assignments, "channels", &Assignment::name) != assignments->end();
    if (channels && !given && width != 0 && width != channels->default_().number_value())
        (*node.mutable_settings()->mutable_fields())["channels"].set_number_value(width);

    // The gain stays on the connection to B, so that the new node receives the unchanged output of A.
    return context.edit(
        {std::move(add), disconnect_edit(connection->from, connection->to), connect_edit(connection->from, node.name()),
         connect_edit(node.name(), connection->to, connection->gain_db)},
        connection->from + " -> " + node.name() + " -> " + connection->to);
}

}  // namespace

extern constinit const Command kInsert = checked({
    .position = 240,
    .name = "insert",
    .arguments = {Argument{"TYPE", Expects::type}, Argument{"NAME"}, Argument{"A", Expects::connected_output},
                  Argument{"B", Expects::connected_input}, Argument{"p=v", Expects::type_value, 0, kUnlimited}},
    .help = "Insert a new node into the connection A -> B, with a crossfade.",
    .details =
        "The gain of the connection moves to the connection from the new node to B. If the node has the setting\n"
        "channels, the default here is the number of channels of A.",
    .example = "rtactl insert gain trim osc vol gain_db=-3dB",
    .in_transaction = InTransaction::collected,
    .run = run_insert,
});

}  // namespace rta::rtactl::commands
