// SPDX-License-Identifier: MIT
#include "rtactl/context/insertion.h"

#include <algorithm>
#include <optional>

#include "rtactl/language/edits.h"
#include "rtactl/language/type_table.h"
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

}  // namespace

Result<InsertionPoint> find_insertion_point(Context& context, const std::string& a, const std::string& b) {
    const auto graph = context.fetch_graph({std::string{node_of(a)}, std::string{node_of(b)}});
    if (!graph) return std::unexpected(graph.error());
    auto connection = find_connection(**graph, a, b);
    if (!connection) return std::unexpected(std::move(connection.error()));
    const double channels = width_of(context, **graph, connection->from);
    return InsertionPoint{std::move(*connection), channels};
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
