// SPDX-License-Identifier: MIT
#include "api/requests/output_call.h"

#include <chrono>
#include <utility>

#include "api/client.h"
#include "api/convert.h"
#include "api/services.h"

namespace rta::api::requests {
namespace {

using Stage = PendingRequest::Stage;
using Outcome = Expected<std::optional<std::uint64_t>>;

void finish_output(PendingRequest& request, const Outcome& outcome, const WriteAnswer& write) {
    if (!outcome) return request.refuse(outcome.error());
    v1::Response& response = request.answer();
    write(response, *outcome);
    if (*outcome) return;
    to_wire(
        Error{ErrorCode::deadline_exceeded, "started, but not finished: no block of audio was rendered for 500 ms", {}},
        *response.mutable_status());
}

}  // namespace

OutputControl::Asked enqueue_output_call(Call& call, WriteAnswer answer) {
    call.request.stage = Stage::queued;
    const TimePoint now = call.services.clock();
    return {.origin = {.client_name = call.client.name(), .author = call.client.identity().author},
            .access_end = call.client.access_end(),
            .now = now,
            .deadline = now + std::chrono::milliseconds{call.request.timeout_ms()},
            .committed =
                [handle = call.handle()] {
                    handle.resume([](Call& later) {
                        if (later.request.stage == Stage::queued) later.request.stage = Stage::executed;
                    });
                },
            .answered =
                [answer = std::move(answer), handle = call.handle()](const Outcome& outcome) {
                    handle.resume([&](Call& later) { finish_output(later.request, outcome, answer); });
                }};
}

}  // namespace rta::api::requests
