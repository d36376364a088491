// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/call.h"
#include "api/services.h"
#include "api/workers.h"
#include "graph/edit_checks.h"

namespace rta::api::requests {
namespace {

constexpr std::uint32_t kDefaultSteps = 20;

/// Everything that the worker needs, and its result.
struct HistoryJob {
    std::vector<HistoryStep> steps;  ///< the latest first
    std::uint64_t id;                ///< of the request
    bool with_edits;
    EncodedAnswer answer{};

    /// [any]
    void run() {
        answer = EncodedAnswer::of(id, [&](v1::Response& response) {
            for (const HistoryStep& step : steps) {
                v1::HistoryStep& message = *response.mutable_get_history()->add_steps();
                to_wire(step, message);
                if (with_edits && step.content != nullptr) add_edits(*step.content, message);
            }
            response.mutable_get_history();
        });
    }
};

}  // namespace

void get_history(Call& call) {
    const v1::GetHistory& wanted = call.request.message.get_history();
    const std::uint32_t count = wanted.has_steps() ? wanted.steps() : kDefaultSteps;
    if (const auto good = check_steps(count); !good) return call.request.refuse(good.error());
    std::vector<HistoryStep> steps = call.services.history.steps();
    if (wanted.has_before())
        std::erase_if(steps, [&](const HistoryStep& step) { return step.number >= wanted.before(); });
    std::ranges::reverse(steps);
    if (steps.size() > count) steps.resize(count);
    const auto job = std::make_shared<HistoryJob>(std::move(steps), call.request.message.id(), wanted.with_edits());
    call.request.stage = PendingRequest::Stage::executed;
    call.services.workers.run(
        "writing the history", [job] { job->run(); },
        [job, handle = call.handle()](const Expected<void>& ran) {
            job->steps.clear();  // on this thread
            handle.resume([&](Call& later) {
                if (!ran) return later.request.refuse(ran.error());
                later.request.answer(std::move(job->answer));
            });
        },
        Workers::Lane::answers);
}

std::string smaller_history(const v1::Request& message) {
    return message.get_history().with_edits() ? "; ask for fewer steps, or leave out with_edits"
                                              : "; ask for fewer steps";
}

}  // namespace rta::api::requests
