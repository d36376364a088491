// SPDX-License-Identifier: MIT
#include "rtactl/context/insertion.h"

#include <optional>

#include "rta/edits.h"
#include "rta/type_table.h"
#include "text/suggestion.h"

namespace rta::rtactl {

namespace {

Result<GraphMirror::ConnectionInfo> find_connection(const GraphMirror& graph, const std::string& a,
                                                    const std::string& b) {
    std::vector<std::string_view> names;
    for (const auto& [name, node] : graph.nodes()) names.emplace_back(name);
    for (const std::string& port : {a, b}) {
        const std::string_view node = node_of(port);
        if (graph.find(node) == nullptr) return not_found(unknown_name("node", node, names));
    }
    std::vector<GraphMirror::ConnectionInfo> found = graph.connections(a, b);
    if (found.empty()) return not_found("connection " + a + " -> " + b + " not found");
    if (found.size() > 1) {
        std::string all;
        for (const auto& connection : found)
            all.append(all.empty() ? "" : ", ").append(connection.from).append(" -> ").append(connection.to);
        return fail(Exit::refused, "connection " + a + " -> " + b + " is ambiguous; expected one of: " + all);
    }
    return std::move(found.front());
}

}  // namespace

Result<InsertionPoint> find_insertion_point(Context& context, const std::string& a, const std::string& b) {
    const auto graph = context.fetch_graph({std::string{node_of(a)}, std::string{node_of(b)}});
    if (!graph) return std::unexpected(graph.error());
    const auto connection = find_connection(**graph, a, b);
    if (!connection) return std::unexpected(connection.error());
    return InsertionPoint{.connection = *connection,
                          .from = (*graph)->short_output(connection->from),
                          .to = (*graph)->short_input(connection->to),
                          .channels = (*graph)->output_width(connection->from)};
}

void inherit_channels(const v1::NodeType* type, const InsertionPoint& point, v1::Node& node) {
    const auto channels = type == nullptr ? std::nullopt : find_setting(*type, "channels");
    if (!channels || point.channels == 0 || point.channels == channels->default_().number_value()) return;
    if (node.settings().fields().contains("channels")) return;
    (*node.mutable_settings()->mutable_fields())["channels"].set_number_value(point.channels);
}

std::vector<v1::Edit> insertion_edits(const InsertionPoint& point, std::string_view first, std::string_view last) {
    const auto& [from, to, gain_db] = point.connection;
    return {disconnect_edit(from, to), connect_edit(from, first), connect_edit(last, to, gain_db)};
}

}  // namespace rta::rtactl
