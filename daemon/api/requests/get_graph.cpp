// SPDX-License-Identifier: MIT
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "api/call.h"
#include "api/convert.h"
#include "api/services.h"
#include "api/workers.h"
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

/// Everything that the worker needs, and its result.
struct GraphJob {
    v1::GetGraph wanted;
    SharedGraphSnapshot snapshot;
    std::uint64_t id;  ///< of the request
    std::uint64_t revision;
    std::uint64_t change_number;
    std::string instance;  ///< for the document; empty: not wanted
    Expected<EncodedAnswer> answer{};

    /// [any]
    void run() {
        GraphDocument document = snapshot->graph.document();
        if (!wanted.nodes().empty()) {
            auto part = part_of(document, wanted);
            if (!part) {
                answer = std::unexpected(std::move(part.error()));
                return;
            }
            document = std::move(*part);
        }
        answer = EncodedAnswer::of(id, [&](v1::Response& response) { write(document, *response.mutable_get_graph()); });
    }

    void write(GraphDocument& document, v1::GraphResult& result) const {
        if (wanted.content() != v1::GRAPH_CONTENT_DOCUMENT) to_wire(document, *result.mutable_graph());
        if (!instance.empty()) document.origin = {.revision = revision, .instance = instance};
        if (wanted.content() != v1::GRAPH_CONTENT_MESSAGE && wanted.nodes().empty())
            result.set_document(write_document(document));
        result.set_revision(revision);
        result.set_change_number(change_number);
    }
};

}  // namespace

/// Writing a large graph takes long: a worker does it, from a snapshot.
void get_graph(Call& call) {
    v1::GetGraph& wanted = *call.request.message.mutable_get_graph();
    if (const auto valid = check_get_graph(wanted); !valid) return call.request.refuse(valid.error());
    const auto job = std::make_shared<GraphJob>(GraphJob{.wanted = {},
                                                         .snapshot = call.services.snapshot(),
                                                         .id = call.request.message.id(),
                                                         .revision = call.services.engine.revision(),
                                                         .change_number = call.services.hub.number(),
                                                         .instance = {}});
    if (wanted.with_origin()) job->instance = call.services.hub.instance_id();
    job->wanted.Swap(&wanted);
    call.request.stage = PendingRequest::Stage::executed;
    call.services.workers.run(
        "writing the graph", [job] { job->run(); },
        [job, handle = call.handle()](const Expected<void>& ran) {
            handle.resume([&](Call& later) {
                later.request.message.mutable_get_graph()->Swap(&job->wanted);
                if (!ran) return later.request.refuse(ran.error());
                if (!job->answer) return later.request.refuse(job->answer.error());
                later.request.answer(std::move(*job->answer));
            });
        },
        Workers::Lane::answers);
}

std::string smaller_graph(const v1::Request& message) {
    const v1::GetGraph& wanted = message.get_graph();
    return wanted.content() == v1::GRAPH_CONTENT_UNSPECIFIED && wanted.nodes().empty()
               ? "; set content to GRAPH_CONTENT_MESSAGE or GRAPH_CONTENT_DOCUMENT for one form of the graph, or list "
                 "single nodes"
               : "; list single nodes";
}

}  // namespace rta::api::requests
