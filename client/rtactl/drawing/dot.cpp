// SPDX-License-Identifier: MIT
#include "rtactl/drawing/dot.h"

#include <algorithm>
#include <set>
#include <vector>

#include "rtactl/drawing/node_values.h"
#include "rtactl/language/graph_mirror.h"
#include "rtactl/language/type_table.h"
#include "text/format_number.h"

namespace rta::rtactl {

namespace {

std::string_view port_of(std::string_view port) {
    const std::size_t colon = port.find(':');
    return colon == std::string_view::npos ? std::string_view{} : port.substr(colon + 1);
}

/// Escapes text for the label of a record. Line breaks become \n.
std::string in_record(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '\n') {
            escaped += "\\n";
            continue;
        }
        if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) {
            escaped += '?';
            continue;
        }
        // These characters have a meaning in a record; a quote would end the string.
        if (std::string_view{"\\\"{}|<> "}.find(c) != std::string_view::npos) escaped += '\\';
        escaped += c;
    }
    return escaped;
}

/// Returns a name as an identifier. Names contain no characters that need escaping in a quoted string.
std::string id(std::string_view name) { return "\"" + std::string{name} + "\""; }

/// Returns `{<in_in_1>in_1|<in_in_2>in_2}`; empty if there is no port.
std::string port_cells(std::string_view direction, const std::vector<std::string>& ports) {
    std::string cells;
    for (const std::string& port : ports) {
        cells.append(cells.empty() ? "" : "|").append("<").append(direction).append("_").append(port).append(">");
        cells += in_record(port);
    }
    return cells.empty() ? "" : "{" + cells + "}";
}

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

std::string node_line(const v1::Node& node, const v1::NodeType* type, const std::vector<Edge>& edges) {
    std::set<std::string> inputs;
    std::set<std::string> outputs;
    for (const Edge& edge : edges) {
        if (node_of(edge.from) == node.name()) outputs.emplace(port_of(edge.from));
        if (node_of(edge.to) == node.name()) inputs.emplace(port_of(edge.to));
    }
    static const v1::NodeType unknown;
    const v1::NodeType& known = type == nullptr ? unknown : *type;
    std::string text = node.name() + "\n" + node.type();
    for (const std::string& value : changed_values(node, type)) text.append("\n").append(value);
    std::string label;
    for (const std::string& part :
         {port_cells("in", with_connected(port_names(known.inputs(), known, node.settings()), inputs)), in_record(text),
          port_cells("out", with_connected(port_names(known.outputs(), known, node.settings()), outputs))}) {
        if (!part.empty()) label.append(label.empty() ? "" : "|").append(part);
    }
    return "    " + id(node.name()) + " [label=\"" + label + "\"];\n";
}

std::string end_text(std::string_view port, std::string_view direction) {
    const std::string_view name = port_of(port);
    if (name.empty()) return id(node_of(port));
    return id(node_of(port)) + ":" + id(std::string{direction} + "_" + std::string{name});
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
        "    rankdir=LR;\n"
        "    node [shape=record];\n";
    for (const v1::Node& node : graph.nodes()) {
        text += node_line(node, find_type(types, node.type()), edges);
    }
    for (const Edge& edge : edges) {
        text += "    " + end_text(edge.from, "out") + " -> " + end_text(edge.to, "in");
        if (!edge.gain.empty()) text += " [label=\"" + edge.gain + "\"]";
        text += ";\n";
    }
    return text + "}\n";
}

}  // namespace rta::rtactl
