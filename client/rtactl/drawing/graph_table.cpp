// SPDX-License-Identifier: MIT
#include "rtactl/drawing/graph_table.h"

#include <algorithm>
#include <ostream>

#include "rta/type_table.h"
#include "rtactl/drawing/node_values.h"
#include "rtactl/drawing/text_table.h"
#include "text/quantity.h"

namespace rta::rtactl {

namespace {

/// Keeps the lines short; `rtactl get NODE` shows all values.
constexpr std::size_t kValuesShown = 6;

std::string values_text(const v1::Node& node, const v1::NodeType* type) {
    const std::vector<std::string> values = changed_values(node, type);
    std::string text;
    for (std::size_t i = 0; i < std::min(values.size(), kValuesShown); ++i)
        text.append(i == 0 ? "" : ", ").append(values[i]);
    if (values.size() > kValuesShown) text += ", and " + std::to_string(values.size() - kValuesShown) + " more";
    return text;
}

}  // namespace

void print_graph(std::ostream& out, const v1::Graph& graph, const v1::NodeTypesResult& types) {
    if (graph.nodes_size() == 0) {
        out << "no nodes\n";
        return;
    }
    TextTable nodes;
    nodes.heading({"NODE", "TYPE", "VALUES"});
    for (const v1::Node& node : graph.nodes())
        nodes.add({node.name(), node.type(), values_text(node, find_type(types, node.type()))});
    nodes.print(out);
    if (graph.connections_size() == 0) return;
    TextTable connections;
    connections.heading({"FROM", "TO", "GAIN"});
    for (const v1::Connection& connection : graph.connections())
        connections.add({connection.from(), connection.to(), format_value(connection.gain_db(), "dB")});
    out << '\n';
    connections.print(out);
}

}  // namespace rta::rtactl
