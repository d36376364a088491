// SPDX-License-Identifier: MIT
#include <algorithm>
#include <span>

#include "rtactl/context/context.h"
#include "rtactl/language/assignment.h"
#include "rtactl/language/command.h"
#include "rtactl/language/edits.h"
#include "rtactl/language/type_table.h"
#include "text/names.h"

namespace rta::rtactl {

namespace {

/// The one connection that A and B mean; else a sentence that names what is missing.
Result<KnownGraph::ConnectionInfo> find_connection(const KnownGraph& graph, const std::string& a,
                                                   const std::string& b) {
    std::vector<std::string_view> names;
    for (const auto& [name, node] : graph.nodes()) names.emplace_back(name);
    for (const std::string& port : {a, b}) {
        const std::string_view node = node_of(port);
        if (graph.find(node) == nullptr) return fail(Exit::refused, no_such("node", node, names));
    }
    std::vector<KnownGraph::ConnectionInfo> found = graph.connections(a, b);
    if (found.empty()) return fail(Exit::refused, "there is no connection " + a + " -> " + b);
    if (found.size() > 1) {
        std::string all;
        for (const auto& connection : found)
            all.append(all.empty() ? "" : ", ").append(connection.from).append(" -> ").append(connection.to);
        return fail(Exit::refused, "there is more than one connection " + a + " -> " + b + ": write one of " + all);
    }
    return std::move(found.front());
}

/// Channels of what an output gives; 0 if the client cannot tell.
double width_of(const Session& session, const KnownGraph& graph, std::string_view from) {
    const KnownGraph::NodeInfo* node = graph.find(node_of(from));
    const v1::NodeType* type = node == nullptr ? nullptr : session.find_type(node->type);
    if (type == nullptr) return 0;
    const std::string_view port = from.substr(std::min(node_of(from).size() + 1, from.size()));
    for (const v1::PortInfo& output : type->outputs()) {
        const bool meant = output.name() == port || output.has_repeated_by();
        if (meant && output.width() != 0) return output.width();
    }
    return number_setting(*type, node->settings, "channels");
}

}  // namespace

Result<void> run_insert(Session& session, const Arguments& arguments) {
    const auto assignments = parse_assignments(std::span{arguments.words}.subspan(4));
    if (!assignments) return usage_error(assignments.error());
    const auto graph =
        session.learn_graph({std::string{node_of(arguments.words[2])}, std::string{node_of(arguments.words[3])}});
    if (!graph) return std::unexpected(graph.error());
    const auto connection = find_connection(**graph, arguments.words[2], arguments.words[3]);
    if (!connection) return std::unexpected(connection.error());

    v1::Edit add;
    v1::Node& node = *add.mutable_add_node();
    node.set_type(arguments.words[0]);
    node.set_name(arguments.words[1]);
    const v1::NodeType* type = session.find_type(node.type());
    if (auto assigned = assign(type, *assignments, node); !assigned)
        return usage_error(node.name() + ": " + assigned.error());
    const v1::SettingInfo* channels = type == nullptr ? nullptr : find_setting(*type, "channels");
    const double width = width_of(session, **graph, connection->from);
    const bool given = std::ranges::find(*assignments, "channels", &Assignment::name) != assignments->end();
    if (channels != nullptr && !given && width != 0 && width != channels->default_().number_value())
        (*node.mutable_settings()->mutable_fields())["channels"].set_number_value(width);

    const std::string title = connection->from + " -> " + node.name() + " -> " + connection->to;
    // The gain stays where the signals meet: what the new node hears is what A gives.
    return session.edit(
        {std::move(add), disconnect_edit(connection->from, connection->to), connect_edit(connection->from, node.name()),
         connect_edit(node.name(), connection->to, connection->gain_db)},
        title);
}

}  // namespace rta::rtactl
