// SPDX-License-Identifier: MIT
#include "api/requests/commit.h"

#include <string>
#include <utility>

#include "api/client.h"
#include "api/convert.h"
#include "api/services.h"

namespace rta::api::requests {

namespace {

void set_start(v1::Response& response, std::uint64_t frame) {
    if (response.has_undo()) return response.mutable_undo()->set_frame(frame);
    if (response.has_redo()) return response.mutable_redo()->set_frame(frame);
    if (response.has_revert()) return response.mutable_revert()->set_frame(frame);
    if (response.has_recall_scene()) return response.mutable_recall_scene()->mutable_transaction()->set_frame(frame);
    response.mutable_apply_transaction()->set_frame(frame);
}

void set_durable(v1::Response& response, bool durable) {
    if (response.has_undo()) return response.mutable_undo()->set_durable(durable);
    if (response.has_redo()) return response.mutable_redo()->set_durable(durable);
    if (response.has_revert()) return response.mutable_revert()->set_durable(durable);
    if (response.has_recall_scene())
        return response.mutable_recall_scene()->mutable_transaction()->set_durable(durable);
    response.mutable_apply_transaction()->set_durable(durable);
}

/// Returns whether the request may wait any longer; refuses it otherwise.
bool may_wait(Call& call, Error error) {
    PendingRequest& request = call.request;
    const TimePoint now = call.services.clock();
    if (!request.deadline) request.deadline = now + std::chrono::milliseconds{request.room_timeout_ms()};
    if (now < *request.deadline) return true;
    error.sentence += "; timed out after " + request.room_timeout_text();
    request.refuse(error);
    return false;
}

}  // namespace

void retry_later(Call& call, RoomQueue& room, std::size_t size, Error error) {
    if (!may_wait(call, std::move(error))) return;
    room.wait(call.client.shared_from_this(), size);
    call.services.wake();
}

void retry_after_progress(Call& call, RoomQueue& room, Error error) {
    room.leave_turn(call.client);
    if (!may_wait(call, std::move(error))) return;
    call.services.progress_queue.wait(call.client.shared_from_this());
    call.services.wake();
}

void committed(Call& call, RoomQueue& room) {
    call.request.committed = true;
    room.took_room(call.client);
    call.services.daemon.graph_changed();
}

void await_frame(Call& call, const Ticket& ticket) {
    call.request.stage = PendingRequest::Stage::executed;
    const auto complete = [handle = call.handle()](std::optional<std::uint64_t> frame) {
        handle.resume([&](Call& later) {
            later.request.stage = PendingRequest::Stage::answered;
            v1::Response& response = *later.request.reply.mutable_response();
            if (frame) return response.mutable_set_parameters()->set_frame(*frame);
            to_wire(Error{ErrorCode::deadline_exceeded,
                          "committed, but not heard yet: no block of audio was rendered for 500 ms",
                          {}},
                    *response.mutable_status());
        });
    };
    call.services.commands.await(ticket, call.services.clock() + kStillDeadline, complete);
    call.services.wake();
}

/// A client that sets timeout_ms states how long it is prepared to wait. For all others, the engine's bound decides.
StartLimit start_limit(const PendingRequest& request, const Ticket& ticket, TimePoint now) {
    if (request.message.has_timeout_ms()) {
        const std::chrono::milliseconds timeout{request.timeout_ms()};
        const TimePoint begin =
            request.deadline ? *request.deadline - std::chrono::milliseconds{request.room_timeout_ms()} : now;
        return {.length = timeout, .by_client = true, .deadline = begin + timeout};
    }
    const auto length = std::chrono::milliseconds{ticket.starts_within_ms} + kStartGrace;
    return {.length = length, .by_client = false, .deadline = now + length};
}

Error late_start(const Ticket& ticket, AwaitedStarts::Late late, const StartLimit& limit) {
    const auto text = [](std::chrono::milliseconds time) { return std::to_string(time.count()) + " ms"; };
    std::string sentence = "committed as revision " + std::to_string(ticket.revision) + ", but not heard yet: ";
    if (late == AwaitedStarts::Late::no_blocks) {
        sentence += "no block of audio was rendered for " + text(kStillDeadline);
    } else {
        sentence += "it did not start within " + text(limit.length);
        if (limit.by_client) sentence += " (timeout_ms)";
        const std::chrono::milliseconds bound{ticket.starts_within_ms};
        if (bound >= limit.length) sentence += "; it starts at most " + text(bound) + " after the commit";
    }
    return Error{ErrorCode::deadline_exceeded, std::move(sentence), {}};
}

void await_start(Call& call, const Ticket& ticket) {
    PendingRequest& request = call.request;
    const TimePoint now = call.services.clock();
    const StartLimit limit = start_limit(request, ticket, now);
    const auto complete = [limit, ticket, handle = call.handle()](const AwaitedStarts::Outcome& outcome) {
        handle.resume([&](Call& later) {
            later.request.answer_part();
            v1::Response& response = *later.request.reply.mutable_response();
            if (!outcome.frame) return to_wire(late_start(ticket, outcome.late, limit), *response.mutable_status());
            set_start(response, *outcome.frame);
        });
    };
    request.start = call.services.commands.await_start(ticket, now, limit.deadline, complete);
    request.defer_answer();
    call.services.wake();
}

bool may_record(Call& call, std::size_t bytes) {
    const auto may = call.services.changes.may_commit(bytes);
    if (!may) {
        call.request.refuse(may.error());
        return false;
    }
    if (*may) return true;
    const Error late{ErrorCode::unavailable, "the disk does not take the change; nothing has changed", {}};
    call.services.plan_room.leave_turn(call.client);
    if (may_wait(call, late)) call.services.changes.when_room(call.handle(), *call.request.deadline);
    return false;
}

void await_record(Call& call) {
    if (!call.services.changes.active()) return;
    const auto complete = [handle = call.handle()](bool durable) {
        handle.resume([&](Call& later) {
            later.request.answer_part();
            set_durable(*later.request.reply.mutable_response(), durable);
        });
    };
    if (call.services.changes.when_recorded(complete)) return call.request.defer_answer();
    set_durable(*call.request.reply.mutable_response(), false);
}

}  // namespace rta::api::requests
