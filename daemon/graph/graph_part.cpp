// SPDX-License-Identifier: MIT
#include "graph/graph_part.h"

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "graph/port_text.h"
#include "text/suggestion.h"

namespace rta {

Expected<void> check_content(int content, bool lists_nodes) {
    constexpr int kDocument = 2;
    if (content < 0 || content > kDocument) {
        return fail(ErrorCode::invalid_argument,
                    "unknown content " + std::to_string(content) +
                        ": expected GRAPH_CONTENT_MESSAGE (1) or GRAPH_CONTENT_DOCUMENT (2); without content, the "
                        "answer has both");
    }
    if (lists_nodes && content == kDocument) {
        return fail(ErrorCode::invalid_argument,
                    "a document describes the whole graph: leave nodes empty, or set content to GRAPH_CONTENT_MESSAGE");
    }
    return {};
}

Expected<GraphDocument> part_of(const GraphDocument& whole, std::span<const std::string> names) {
    std::unordered_map<std::string_view, const GraphDocument::Node*> nodes;
    for (const GraphDocument::Node& node : whole.nodes) nodes.emplace(node.name, &node);
    GraphDocument part;
    std::unordered_set<std::string_view> wanted;
    for (const std::string& name : names) {
        const auto found = nodes.find(name);
        if (found == nodes.end()) return fail(ErrorCode::not_found, unknown_name("node", name, names_of(whole.nodes)));
        if (wanted.insert(name).second) part.nodes.push_back(*found->second);
    }
    for (const GraphDocument::Connection& connection : whole.connections) {
        if (wanted.contains(split_port(connection.from).node) || wanted.contains(split_port(connection.to).node))
            part.connections.push_back(connection);
    }
    part.latency_compensation = whole.latency_compensation;
    part.annotation = whole.annotation;
    return part;
}

Expected<GraphDocument> scene_document(const AudioGraph& graph, std::span<const std::string> nodes) {
    GraphDocument document = graph.document();
    if (nodes.empty()) return document;
    std::unordered_set<std::string_view> wanted;
    for (const std::string& name : nodes) {
        if (const auto known = graph.require(name); !known) return std::unexpected(known.error());
        wanted.insert(name);
    }
    std::erase_if(document.nodes, [&](const auto& node) { return !wanted.contains(node.name); });
    std::erase_if(document.connections, [&](const auto& connection) {
        return !wanted.contains(split_port(connection.from).node) || !wanted.contains(split_port(connection.to).node);
    });
    document.latency_compensation = false;
    document.annotation = {};
    return document;
}

}  // namespace rta
