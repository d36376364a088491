// SPDX-License-Identifier: MIT
#include "api/output_control.h"

#include <algorithm>
#include <utility>

#include "engine/renderer.h"
#include "rta/v1/control.pb.h"

namespace rta::api {

void OutputControl::mute(bool muted, Asked asked) { enqueue({.asked = std::move(asked), .mute = muted}); }

void OutputControl::panic(Asked asked) { enqueue({.asked = std::move(asked)}); }

void OutputControl::enqueue(Item item) {
    const TimePoint now = item.asked.now;
    if (!busy()) {
        last_frame_ = engine_.renderer().frames();
        last_progress_ = now;
    }
    queue_.push_back(std::move(item));
    poll(now);
}

void OutputControl::poll(TimePoint now) {
    loop_.run([&] { advance_all(now); });
}

void OutputControl::advance_all(TimePoint now) {
    if (const std::uint64_t frame = engine_.renderer().frames(); frame != std::exchange(last_frame_, frame)) {
        last_progress_ = now;
    }
    while (!queue_.empty() && advance(queue_.front(), now) == Step::done) queue_.pop_front();
    expire_waiting(now);
    expire_still(now);
}

OutputControl::Step OutputControl::advance(Item& item, TimePoint now) {
    return item.mute ? advance_mute(item, now) : advance_panic(item, now);
}

/// The engine was full: the request is tried again until its timeout.
OutputControl::Step OutputControl::refused(Item& item, Error error, TimePoint now) {
    if (error.code == ErrorCode::resource_exhausted && now < item.asked.deadline) return Step::waits;
    item.asked.answered(std::unexpected(std::move(error)));
    return Step::done;
}

Expected<Ticket> OutputControl::send_mute(bool muted, const std::string& client_name) {
    const bool changes = engine_.output_muted() != muted;
    auto ticket = engine_.mute_output(muted);
    if (!ticket || !changes) return ticket;
    daemon_.output_changed();
    hub_.publish([&](v1::Event& event) {
        event.mutable_output_muted()->set_muted(muted);
        event.mutable_output_muted()->set_client_name(client_name);
    });
    return ticket;
}

OutputControl::Step OutputControl::advance_mute(Item& item, TimePoint now) {
    const auto ticket = send_mute(*item.mute, item.asked.client_name);
    if (!ticket) return refused(item, ticket.error(), now);
    commands_.await(
        *ticket, now + kStillDeadline,
        [answered = std::move(item.asked.answered)](std::optional<std::uint64_t> frame) { answered(frame); });
    item.asked.committed();
    return Step::done;
}

OutputControl::Step OutputControl::begin_panic(Item& item, TimePoint now) {
    if (const auto muted = send_mute(true, item.asked.client_name); !muted) return refused(item, muted.error(), now);
    unanswered_.push_back(std::make_shared<Unanswered>(now, std::move(item.asked.answered)));
    item.asked.answered = [unanswered = unanswered_.back()](const auto& outcome) {
        if (const auto answered = std::exchange(unanswered->answered, nullptr)) answered(outcome);
    };
    // Processors are built while the output fades out.
    item.reset = engine_.start_reset();
    return Step::waits;
}

OutputControl::Step OutputControl::advance_panic(Item& item, TimePoint now) {
    if (!item.reset && begin_panic(item, now) == Step::done) return Step::done;
    if (!item.reset || !engine_.output_silent()) return Step::waits;
    const auto ticket = item.reset->try_complete();
    if (!ticket) return Step::waits;
    if (*ticket) {
        finish_panic(item, **ticket);
        return Step::done;
    }
    Error error = ticket->error();
    error.sentence = "the output is muted, but nothing was reset: " + error.sentence;
    item.asked.committed();
    item.asked.answered(std::unexpected(std::move(error)));
    return Step::done;
}

void OutputControl::finish_panic(Item& item, const Ticket& ticket) {
    commands_.announce(ticket, [this, answered = std::move(item.asked.answered),
                                client_name = std::move(item.asked.client_name)](std::uint64_t frame) {
        answered(std::optional{frame});
        hub_.publish([&](v1::Event& event) {
            event.mutable_panicked()->set_frame(frame);
            event.mutable_panicked()->set_client_name(client_name);
        });
    });
    item.asked.committed();
}

/// Refuses requests that wait for one that does not finish.
void OutputControl::expire_waiting(TimePoint now) {
    for (std::size_t i = 1; i < queue_.size();) {
        if (now < queue_[i].asked.deadline) {
            ++i;
            continue;
        }
        const Answered answered = std::move(queue_[i].asked.answered);
        queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(i));
        answered(fail(ErrorCode::resource_exhausted,
                      std::string{queue_.front().mute ? "an earlier mute waits for room in the engine"
                                                      : "an earlier panic has not finished"} +
                          "; nothing has changed; try again, or set a longer timeout_ms"));
    }
}

void OutputControl::expire_still(TimePoint now) {
    for (const auto& unanswered : unanswered_) {
        if (!unanswered->answered || now - std::max(unanswered->asked, last_progress_) < kStillDeadline) continue;
        if (const auto answered = std::exchange(unanswered->answered, nullptr)) answered(std::nullopt);
    }
    std::erase_if(unanswered_, [](const auto& one) { return one->answered == nullptr; });
}

}  // namespace rta::api
