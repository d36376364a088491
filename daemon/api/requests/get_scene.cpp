// SPDX-License-Identifier: MIT
#include <memory>
#include <string>
#include <utility>

#include "api/call.h"
#include "api/convert.h"
#include "api/requests/recall.h"
#include "api/services.h"
#include "graph/document_values.h"

namespace rta::api::requests {
namespace {

/// What the worker needs, and its result.
struct SceneJob {
    v1::GetScene wanted;
    std::uint64_t id;  ///< of the request
    Recall recall;
    SharedGraphSnapshot snapshot;
    Expected<EncodedAnswer> answer{};

    /// [any]
    void run(const Engine& engine) {
        v1::SceneResult result;
        const auto filled = fill(engine, result);
        if (filled) {
            answer =
                EncodedAnswer::of(id, [&](v1::Response& response) { response.mutable_get_scene()->Swap(&result); });
        } else {
            answer = std::unexpected(filled.error());
        }
    }

 private:
    Expected<void> fill(const Engine& engine, v1::SceneResult& result) {
        *result.mutable_scene() = recall.scene.info;
        if (wanted.with_graph()) {
            const auto document = load_document(*recall.scene.text, engine.registry(), engine.config().sample_rate_hz);
            if (!document) return std::unexpected(document.error());
            to_wire(document->document, *result.mutable_graph());
        }
        if (!wanted.with_diff()) return {};
        result.set_revision(snapshot->revision);
        return recall.check(engine, std::move(snapshot), result.mutable_diff());
    }
};

}  // namespace

/// Nothing changes, so a worker can do all of it.
void get_scene(Call& call) {
    v1::GetScene& wanted = *call.request.message.mutable_get_scene();
    auto scene = call.services.scenes.find(wanted.name());
    if (!scene) return call.request.refuse(scene.error());
    Recall recall{.scene = std::move(*scene)};
    if (wanted.with_diff()) recall.spares = call.services.scenes.take_spares();
    const auto job = std::make_shared<SceneJob>(SceneJob{.wanted = {},
                                                         .id = call.request.message.id(),
                                                         .recall = std::move(recall),
                                                         .snapshot = call.services.snapshot()});
    job->wanted.Swap(&wanted);
    call.request.stage = PendingRequest::Stage::executed;
    call.services.workers.run(
        "reading a scene", [job, &engine = std::as_const(call.services.engine)] { job->run(engine); },
        [job, handle = call.handle()](const Expected<void>& ran) {
            job->snapshot.reset();  // on this thread
            handle.resume([&](Call& later) {
                later.request.message.mutable_get_scene()->Swap(&job->wanted);
                if (!ran) return later.request.refuse(ran.error());
                if (!job->answer) return later.request.refuse(job->answer.error());
                later.request.answer(std::move(*job->answer));
            });
        },
        Workers::Lane::answers);
}

std::string smaller_scene(const v1::Request& message) {
    const v1::GetScene& wanted = message.get_scene();
    return wanted.with_graph() && wanted.with_diff() ? "; request the graph and the difference one by one" : "";
}

}  // namespace rta::api::requests
