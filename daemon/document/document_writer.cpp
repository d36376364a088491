// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "document/document.h"
#include "document/document_size.h"
#include "document/json_text.h"
#include "text/sort_range.h"

namespace rta {
namespace {

using json::append_string;
using json::append_value;

/// `, "settings": {"channels": 2}`, or nothing without members.
void append_members(std::string& out, std::string_view key, const auto& members) {
    if (members.empty()) return;
    out.append(", ");
    append_string(out, key);
    out += ": {";
    bool first = true;
    for (const auto& [name, value] : members) {
        if (!std::exchange(first, false)) out += ", ";
        append_string(out, name);
        out += ": ";
        append_value(out, value);
    }
    out += '}';
}

/// Appends the title and the description, each between `before` and `after`, or nothing if they are empty.
void append_annotation(std::string& out, const Annotation& annotation, std::string_view before,
                       std::string_view after) {
    const auto append = [&](std::string_view key, std::string_view text) {
        if (text.empty()) return;
        out.append(before);
        append_string(out, key);
        out += ": ";
        append_string(out, text);
        out.append(after);
    };
    append("title", annotation.title);
    append("description", annotation.description);
}

/// Appends the title and the description of the graph, each on its own line.
void append_graph_annotation(std::string& out, const Annotation& annotation) {
    append_annotation(out, annotation, "  ", ",\n");
}

/// Appends a node without parameters and the closing bracket.
void append_head(std::string& out, std::string_view name, std::string_view type, const Annotation& annotation,
                 const Settings& settings) {
    out += "{\"name\": ";
    append_string(out, name);
    out += ", \"type\": ";
    append_string(out, type);
    append_annotation(out, annotation, ", ", "");
    append_members(out, "settings", settings);
}

void append_line(std::string& out, const GraphDocument::Node& node) {
    append_head(out, node.name, node.type, node.annotation, node.settings);
    append_members(out, "parameters", node.parameters);
    out += '}';
}

void append_line(std::string& out, const GraphDocument::Connection& connection) {
    out += "{\"from\": ";
    append_string(out, connection.from);
    out += ", \"to\": ";
    append_string(out, connection.to);
    if (connection.gain_db) {
        out += ", \"gain_db\": ";
        append_value(out, *connection.gain_db);
    }
    out += '}';
}

/// `"nodes": [ ... ]`, one item per line, sorted by `place`.
template <class Item>
void append_list(std::string& out, std::string_view key, const std::vector<Item>& items, auto place) {
    std::vector<const Item*> sorted;
    sorted.reserve(items.size());
    for (const Item& item : items) sorted.push_back(&item);
    sort_range(sorted, {}, place);

    out.append("  ");
    append_string(out, key);
    out += ": [";
    for (const Item* item : sorted) {
        out += item == sorted.front() ? "\n    " : ",\n    ";
        append_line(out, *item);
    }
    out += sorted.empty() ? "]" : "\n  ]";
}

void append_origin(std::string& out, const GraphDocument::Origin& origin) {
    if (origin.revision) out.append("  \"revision\": ").append(std::to_string(*origin.revision)).append(",\n");
    if (origin.instance.empty()) return;
    out += "  \"instance\": ";
    append_string(out, origin.instance);
    out += ",\n";
}

}  // namespace

std::string write_document(const GraphDocument& document) {
    // The address comes last: equal items keep their order.
    using NodePlace = std::tuple<const std::string&, const GraphDocument::Node*>;
    using ConnectionPlace = std::tuple<const std::string&, const std::string&, const GraphDocument::Connection*>;
    std::string out = "{\n";
    append_graph_annotation(out, document.annotation);
    append_origin(out, document.origin);
    append_list(out, "nodes", document.nodes, [](const auto* node) { return NodePlace{node->name, node}; });
    out += ",\n";
    append_list(out, "connections", document.connections,
                [](const auto* item) { return ConnectionPlace{item->from, item->to, item}; });
    if (document.latency_compensation) out += ",\n  \"latency_compensation\": true";
    return out += "\n}\n";
}

std::size_t node_bytes(std::string_view type, const Annotation& annotation, const Settings& settings) {
    std::string line = ",\n    ";
    append_head(line, "", type, annotation, settings);
    return line.size() + 1;
}

std::size_t annotation_bytes(const Annotation& annotation) {
    std::string lines;
    append_graph_annotation(lines, annotation);
    return lines.size();
}

}  // namespace rta
