// SPDX-License-Identifier: MIT
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/call.h"
#include "api/convert.h"
#include "api/services.h"
#include "api/workers.h"
#include "document/document.h"
#include "graph/graph_part.h"

namespace rta::api::requests {
namespace {

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
            const std::vector<std::string> names{wanted.nodes().begin(), wanted.nodes().end()};
            auto part = part_of(document, names);
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
    if (const auto valid = check_content(wanted.content(), !wanted.nodes().empty()); !valid)
        return call.request.refuse(valid.error());
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
