// SPDX-License-Identifier: MIT
#include "rtactl/drawing/dot.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "rta/graph_mirror.h"
#include "rta/type_table.h"
#include "rtactl/drawing/node_values.h"
#include "text/format_number.h"

namespace rta::rtactl {

namespace {

std::string_view port_of(std::string_view port) {
    const std::size_t colon = port.find(':');
    return colon == std::string_view::npos ? std::string_view{} : port.substr(colon + 1);
}

/// Escapes text for an HTML-like label. Line breaks become <br/>.
std::string in_label(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '\n') {
            escaped += "<br/>";
        } else if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) {
            escaped += '?';
        } else if (c == '&') {
            escaped += "&amp;";
        } else if (c == '<') {
            escaped += "&lt;";
        } else if (c == '>') {
            escaped += "&gt;";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

/// Returns a name as an identifier. Names contain no characters that need escaping in a quoted string.
std::string id(std::string_view name) { return "\"" + std::string{name} + "\""; }

/// Returns the ports of the type, then connected ports that the type does not list.
std::vector<std::string> with_connected(std::vector<std::string> ports, const std::set<std::string>& connected) {
    for (const std::string& port : connected) {
        if (!port.empty() && std::ranges::find(ports, port) == ports.end()) ports.push_back(port);
    }
    return ports;
}

struct Edge {
    std::string from;  ///< with its port
    std::string to;
    std::string gain;  ///< "-6 dB", or empty
};

/// The ports of a node, which the drawing shows if there are several.
struct NodePorts {
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
};

NodePorts ports_of(const v1::Node& node, const v1::NodeType& type, const std::vector<Edge>& edges) {
    std::set<std::string> inputs;
    std::set<std::string> outputs;
    for (const Edge& edge : edges) {
        if (node_of(edge.from) == node.name()) outputs.emplace(port_of(edge.from));
        if (node_of(edge.to) == node.name()) inputs.emplace(port_of(edge.to));
    }
    return {with_connected(port_names(type.inputs(), type, node.settings()), inputs),
            with_connected(port_names(type.outputs(), type, node.settings()), outputs)};
}

std::string small_text(std::string_view text) {
    return "<font point-size=\"10\" color=\"#666666\">" + std::string{text} + "</font>";
}

/// Returns a cell with the names of the ports, one below the other; empty if there are not several. `side` is the one at
/// which it borders on the rest of the node.
std::string port_cell(std::string_view direction, const std::vector<std::string>& ports, std::string_view side,
                      std::size_t rows) {
    if (ports.size() < 2) return "";
    std::string cell = "<td rowspan=\"" + std::to_string(rows) + "\" border=\"1\" sides=\"" + std::string{side} +
                       "\" cellpadding=\"0\"><table border=\"0\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"3\">";
    for (const std::string& port : ports) {
        cell.append("<tr><td port=\"").append(direction).append("_").append(port).append("\">");
        cell.append(small_text(in_label(port))).append("</td></tr>");
    }
    return cell + "</table></td>";
}

/// Returns the values that differ from their defaults, one in a line. A long list is cut.
std::string value_text(const v1::Node& node, const v1::NodeType* type) {
    constexpr std::size_t kMost = 8;
    const std::vector<std::string> values = changed_values(node, type);
    const std::size_t shown = values.size() <= kMost + 1 ? values.size() : kMost;
    std::string text;
    for (std::size_t i = 0; i < shown; ++i) text.append(i == 0 ? "" : "<br/>").append(in_label(values[i]));
    if (shown < values.size()) text.append("<br/>and ").append(std::to_string(values.size() - shown)).append(" more");
    return text;
}

/// Draws a node as a table: inputs at the left, name, type and values in the middle, outputs at the right.
std::string node_line(const v1::Node& node, const v1::NodeType* type, const NodePorts& ports) {
    std::vector<std::string> rows{"<td><b>" + in_label(node.name()) + "</b></td>",
                                  "<td>" + small_text(in_label(node.type())) + "</td>"};
    const std::string values = value_text(node, type);
    if (!values.empty()) rows.push_back("<td border=\"1\" sides=\"t\" balign=\"left\">" + small_text(values) + "</td>");
    rows.front() = port_cell("in", ports.inputs, "r", rows.size()) + rows.front() +
                   port_cell("out", ports.outputs, "l", rows.size());
    std::string label = "<table border=\"1\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"4\">";
    for (const std::string& row : rows) label.append("<tr>").append(row).append("</tr>");
    return "    " + id(node.name()) + " [label=<" + label + "</table>>];\n";
}

/// Returns an end of an edge: the port if the drawing shows it, and the side of the node.
std::string end_text(std::string_view port, std::string_view direction, const std::vector<std::string>& ports) {
    std::string text = id(node_of(port));
    const std::string_view name = port_of(port);
    if (!name.empty() && ports.size() > 1) text += ":" + id(std::string{direction} + "_" + std::string{name});
    return text + (direction == "in" ? ":w" : ":e");
}

std::vector<Edge> edges_of(const v1::Graph& graph, const GraphMirror& known) {
    std::vector<Edge> edges;
    for (const v1::Connection& connection : graph.connections()) {
        edges.push_back({known.full_output(connection.from()), known.full_input(connection.to()),
                         connection.has_gain_db() ? format_number(connection.gain_db()) + " dB" : ""});
    }
    return edges;
}

}  // namespace

std::string to_dot(const v1::Graph& graph, const v1::NodeTypesResult& types) {
    const std::vector<Edge> edges = edges_of(graph, GraphMirror{graph, types});
    std::string text =
        "digraph rtad {\n"
        "    graph [rankdir=LR, ranksep=0.6, nodesep=0.25];\n"
        "    node [shape=plain, fontname=\"sans-serif\", fontsize=12, color=\"#888888\"];\n"
        "    edge [fontname=\"sans-serif\", fontsize=10, fontcolor=\"#666666\", color=\"#444444\", arrowsize=0.7];\n";
    std::map<std::string_view, NodePorts, std::less<>> ports;
    static const v1::NodeType unknown;
    for (const v1::Node& node : graph.nodes()) {
        const v1::NodeType* const type = find_type(types, node.type());
        const NodePorts& of_node =
            ports.insert_or_assign(node.name(), ports_of(node, type == nullptr ? unknown : *type, edges)).first->second;
        text += node_line(node, type, of_node);
    }
    for (const Edge& edge : edges) {
        text += "    " + end_text(edge.from, "out", ports[node_of(edge.from)].outputs) + " -> " +
                end_text(edge.to, "in", ports[node_of(edge.to)].inputs);
        if (!edge.gain.empty()) text += " [label=\"" + edge.gain + "\"]";
        text += ";\n";
    }
    return text + "}\n";
}

}  // namespace rta::rtactl
