// SPDX-License-Identifier: MIT
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "api/call.h"
#include "api/convert.h"
#include "api/services.h"
#include "document/document.h"
#include "graph/port_text.h"
#include "text/suggestion.h"

namespace rta::api::requests {
namespace {

Expected<void> check_get_graph(const v1::GetGraph& request) {
    if (!v1::GraphContent_IsValid(request.content())) {
        return fail(ErrorCode::invalid_argument,
                    "unknown content " + std::to_string(request.content()) +
                        ": expected GRAPH_CONTENT_MESSAGE (1) or GRAPH_CONTENT_DOCUMENT (2); without content, the "
                        "answer has both");
    }
    if (!request.nodes().empty() && request.content() == v1::GRAPH_CONTENT_DOCUMENT) {
        return fail(ErrorCode::invalid_argument,
                    "a document describes the whole graph: leave nodes empty, or set content to GRAPH_CONTENT_MESSAGE");
    }
    return {};
}

/// Returns the requested nodes, and the connections from and to them.
Expected<GraphDocument> part_of(const GraphDocument& whole, const v1::GetGraph& request) {
    std::unordered_map<std::string_view, const GraphDocument::Node*> nodes;
    for (const GraphDocument::Node& node : whole.nodes) nodes.emplace(node.name, &node);
    GraphDocument part;
    std::unordered_set<std::string_view> wanted;
    for (const std::string& name : request.nodes()) {
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

void answer_graph(Call& call, const GraphDocument* message, const GraphDocument* document) {
    v1::GraphResult& result = *call.request.answer().mutable_get_graph();
    if (message != nullptr) to_wire(*message, *result.mutable_graph());
    if (document != nullptr) result.set_document(write_document(*document));
    result.set_revision(call.services.engine.revision());
    result.set_change_number(call.services.hub.number());
}

}  // namespace

void get_graph(Call& call) {
    const v1::GetGraph& wanted = call.request.message.get_graph();
    if (const auto valid = check_get_graph(wanted); !valid) return call.request.refuse(valid.error());
    const GraphDocument whole = call.services.engine.graph().document();
    if (!wanted.nodes().empty()) {
        const auto part = part_of(whole, wanted);
        if (!part) return call.request.refuse(part.error());
        return answer_graph(call, &*part, nullptr);
    }
    answer_graph(call, wanted.content() == v1::GRAPH_CONTENT_DOCUMENT ? nullptr : &whole,
                 wanted.content() == v1::GRAPH_CONTENT_MESSAGE ? nullptr : &whole);
}

std::string smaller_graph(const v1::Request& message) {
    const v1::GetGraph& wanted = message.get_graph();
    return wanted.content() == v1::GRAPH_CONTENT_UNSPECIFIED && wanted.nodes().empty()
               ? "; set content to GRAPH_CONTENT_MESSAGE or GRAPH_CONTENT_DOCUMENT for one form of the graph, or list "
                 "single nodes"
               : "; list single nodes";
}

}  // namespace rta::api::requests
