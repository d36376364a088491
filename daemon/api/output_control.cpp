// SPDX-License-Identifier: MIT
#include "api/output_control.h"

#include <algorithm>
#include <utility>

#include "engine/renderer.h"
#include "graph/edit.h"
#include "graph/edit_checks.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

void set_origin(auto& event, const OutputControl::Origin& origin) {
    event.set_client_name(origin.client_name);
    event.set_author(origin.author);
}

/// Refuses a request of a client whose access has ended. Returns whether it did.
bool refused_without_access(const OutputControl::Asked& asked) {
    if (!*asked.access_end) return false;
    asked.answered(std::unexpected(**asked.access_end));
    return true;
}

}  // namespace

void OutputControl::mute(bool muted, Asked asked) { enqueue({.asked = std::move(asked), .mute = muted}); }

void OutputControl::panic(Asked asked) { enqueue({.asked = std::move(asked)}); }

void OutputControl::set_volume(VolumeChange change, std::shared_ptr<float> result, Asked asked) {
    const TimePoint now = asked.now;
    note_progress(now);
    volumes_.push_back({.asked = std::move(asked), .change = change, .result = std::move(result)});
    poll(now);
}

void OutputControl::enqueue(Item item) {
    const TimePoint now = item.asked.now;
    note_progress(now);
    queue_.push_back(std::move(item));
    poll(now);
}

/// Must be called before a request is added.
void OutputControl::note_progress(TimePoint now) {
    if (busy()) return;
    last_frame_ = engine_.renderer().frames();
    last_progress_ = now;
}

void OutputControl::poll(TimePoint now) {
    loop_.run([&] { advance_all(now); });
}

void OutputControl::advance_all(TimePoint now) {
    if (const std::uint64_t frame = engine_.renderer().frames(); frame != std::exchange(last_frame_, frame)) {
        last_progress_ = now;
    }
    advance_volumes(now);
    while (!queue_.empty() && advance(queue_.front(), now) == Step::done) queue_.pop_front();
    advance_volumes(now);  // those that clients have sent after mutes
    expire_waiting(now);
    expire_still(now);
}

OutputControl::Step OutputControl::advance(Item& item, TimePoint now) {
    if (!item.reset && refused_without_access(item.asked)) return Step::done;
    return item.mute ? advance_mute(item, now) : advance_panic(item, now);
}

/// The engine was full: the request is tried again until its timeout.
OutputControl::Step OutputControl::refused(Asked& asked, Error error, TimePoint now) {
    if (error.code == ErrorCode::resource_exhausted && now < asked.deadline) return Step::waits;
    asked.answered(std::unexpected(std::move(error)));
    return Step::done;
}

/// If the engine is full for one of them, so it is for the others. Callbacks may add more at the end.
void OutputControl::advance_volumes(TimePoint now) {
    for (std::size_t i = 0; i < volumes_.size();) {
        if (advance_volume(volumes_[i], now) == Step::done) {
            volumes_.erase(volumes_.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
            ++i;
        }
    }
}

OutputControl::Step OutputControl::advance_volume(Volume& volume, TimePoint now) {
    if (refused_without_access(volume.asked)) return Step::done;
    const auto wanted = volume_after(volume.change);
    if (!wanted) return refused(volume.asked, wanted.error(), now);
    const auto ticket = send_volume(*wanted, volume.asked.origin);
    if (!ticket) return refused(volume.asked, ticket.error(), now);
    *volume.result = *wanted;
    answer_when_applied(*ticket, volume.asked, now);
    return Step::done;
}

Expected<float> OutputControl::volume_after(VolumeChange change) const {
    if (!change.adds) return change.db;
    return rta::volume_after(engine_.output_volume_db(), change.db);
}

Expected<Ticket> OutputControl::send_volume(float volume_db, const Origin& origin) {
    const float before = engine_.output_volume_db();
    auto ticket = engine_.set_output_volume(volume_db);
    if (!ticket || engine_.output_volume_db() == before) return ticket;
    daemon_.output_changed();
    hub_.publish([&](v1::Event& event) {
        event.mutable_output_volume_changed()->set_volume_db(engine_.output_volume_db());
        set_origin(*event.mutable_output_volume_changed(), origin);
    });
    return ticket;
}

void OutputControl::answer_when_applied(const Ticket& ticket, Asked& asked, TimePoint now) {
    commands_.await(ticket, now + kStillDeadline,
                    [answered = std::move(asked.answered)](std::optional<std::uint64_t> frame) { answered(frame); });
    asked.committed();
}

Expected<Ticket> OutputControl::send_mute(bool muted, const Origin& origin) {
    const bool changes = engine_.output_muted() != muted;
    auto ticket = engine_.mute_output(muted);
    if (!ticket || !changes) return ticket;
    daemon_.output_changed();
    hub_.publish([&](v1::Event& event) {
        event.mutable_output_muted()->set_muted(muted);
        set_origin(*event.mutable_output_muted(), origin);
    });
    return ticket;
}

OutputControl::Step OutputControl::advance_mute(Item& item, TimePoint now) {
    const auto ticket = send_mute(*item.mute, item.asked.origin);
    if (!ticket) return refused(item.asked, ticket.error(), now);
    answer_when_applied(*ticket, item.asked, now);
    return Step::done;
}

OutputControl::Step OutputControl::begin_panic(Item& item, TimePoint now) {
    if (const auto muted = send_mute(true, item.asked.origin); !muted) return refused(item.asked, muted.error(), now);
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
                                origin = std::move(item.asked.origin)](std::uint64_t frame) {
        answered(std::optional{frame});
        hub_.publish([&](v1::Event& event) {
            event.mutable_panicked()->set_frame(frame);
            set_origin(*event.mutable_panicked(), origin);
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
