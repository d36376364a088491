// SPDX-License-Identifier: MIT
#include "api/requests/commit.h"

#include <string>
#include <utility>

#include "api/client.h"
#include "api/convert.h"
#include "api/services.h"

namespace rta::api::requests {

void retry_later(Call& call, RoomQueue& room, Error error) {
    PendingRequest& request = call.request;
    const TimePoint now = call.services.clock();
    const std::chrono::milliseconds timeout{request.timeout_ms()};
    if (!request.give_up) request.give_up = now + timeout;
    if (now < *request.give_up) {
        room.wait(call.client.shared_from_this());
        call.services.wake();
        return;
    }
    error.sentence += "; timed out after " + std::to_string(timeout.count()) + " ms (timeout_ms)";
    request.refuse(error);
}

void committed(Call& call, RoomQueue& room) {
    call.request.committed = true;
    room.took_room(call.client);
    call.services.daemon.graph_changed();
}

PendingCommands::Answered answer_with_frame(Call& call, SetFrame set_frame) {
    call.request.stage = PendingRequest::Stage::executed;
    return [set_frame, handle = call.handle()](std::optional<std::uint64_t> frame) {
        handle.resume([&](Call& later) {
            later.request.stage = PendingRequest::Stage::answered;
            v1::Response& response = *later.request.reply.mutable_response();
            if (frame) return set_frame(response, *frame);
            to_wire(Error{ErrorCode::deadline_exceeded,
                          "committed, but not heard yet: no block of audio was rendered for 500 ms",
                          {}},
                    *response.mutable_status());
        });
    };
}

void await_frame(Call& call, const Ticket& ticket, SetFrame set_frame) {
    call.services.commands.await(ticket, call.services.clock() + kHeardDeadline, answer_with_frame(call, set_frame));
    call.services.wake();
}

}  // namespace rta::api::requests
