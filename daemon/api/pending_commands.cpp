// SPDX-License-Identifier: MIT
#include "api/pending_commands.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/renderer.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

using namespace std::chrono_literals;

/// Poll interval while a client waits for the next block. Adds half of its length to the round-trip time on average.
constexpr auto kAwaitedInterval = 50us;
/// Poll interval while a fade runs, or a transaction waits to be heard.
constexpr auto kOutstandingInterval = 2ms;
constexpr auto kIdleInterval = 50ms;
/// If no block is rendered for this long, the next one is not expected soon.
constexpr auto kStillAfter = 100ms;

}  // namespace

void PendingCommands::await(const Ticket& ticket, TimePoint deadline, Answered answered) {
    waiting_.push_back({ticket.serial, deadline, std::move(answered)});
}

void PendingCommands::announce(const Ticket& ticket) {
    if (!first_announced_) first_announced_ = ticket.revision;
    unheard_revisions_.insert(ticket.revision);
}

std::uint64_t PendingCommands::heard_revision() const {
    return unheard_revisions_.empty() ? engine_.revision() : *unheard_revisions_.begin() - 1;
}

AwaitedStarts::Wait PendingCommands::await_start(const Ticket& ticket, TimePoint now, TimePoint deadline,
                                                 AwaitedStarts::Answered answered) {
    if (ticket.starts_within_ms == 0) prompt_serial_ = ticket.serial;
    return starts_.add({.revision = ticket.revision, .begin = now, .deadline = deadline}, std::move(answered));
}

void PendingCommands::announce(const Ticket& ticket, std::function<void(std::uint64_t frame)> heard) {
    unheard_.push_back({ticket.serial, std::move(heard)});
}

void PendingCommands::fade_out(float length_ms, std::function<void()> done) {
    fade_ = Fade{length_ms, std::move(done)};
    advance_fade();
}

void PendingCommands::poll(TimePoint now) {
    engine_.poll(*this);
    note_progress(now);
    for (const Applied& one : std::exchange(applied_, {})) resolve(one);
    for (const Applied& one : std::exchange(scheduled_applied_, {})) {
        if (scheduled_.applied) scheduled_.applied(one.serial, one.frame);
    }
    report_starts();
    for (const Fault& fault : std::exchange(faults_, {})) {
        hub_.publish([&](v1::Event& event) {
            event.mutable_node_faulted()->set_node(fault.node);
            event.mutable_node_faulted()->set_frame(fault.frame);
        });
        if (faulted_) faulted_(fault.node);
    }
    expire(now);
    advance_fade();
}

std::chrono::microseconds PendingCommands::interval() const {
    if (!started_.empty()) return kAwaitedInterval;
    const bool prompt = !waiting_.empty() || prompt_serial_ > applied_serial_;
    if (prompt && rendering_) return kAwaitedInterval;
    if (prompt || !starts_.empty() || fade_ || engine_.outstanding()) return kOutstandingInterval;
    return kIdleInterval;
}

void PendingCommands::note_progress(TimePoint now) {
    if (const std::uint64_t frames = engine_.renderer().frames(); frames != std::exchange(frames_, frames))
        last_block_ = now;
    rendering_ = now - last_block_ < kStillAfter;
}

void PendingCommands::applied(std::uint64_t serial, std::uint64_t frame) {
    applied_serial_ = serial;
    applied_.push_back({serial, frame});
}

void PendingCommands::scheduled_applied(std::uint64_t serial, std::uint64_t frame) {
    scheduled_applied_.push_back({serial, frame});
}

void PendingCommands::transaction_heard(std::uint64_t revision, std::uint64_t frame) {
    starting_.push_back({revision, frame});
}

void PendingCommands::node_faulted(const std::string& node, std::uint64_t frame) { faults_.push_back({node, frame}); }

void PendingCommands::device_faded(std::uint64_t /*frame*/) {
    if (fade_ && fade_->started) fade_->ended = true;
}

void PendingCommands::resolve(const Applied& applied) {
    while (!waiting_.empty() && waiting_.front().serial <= applied.serial) {
        const Waiting done = std::move(waiting_.front());
        waiting_.pop_front();
        done.answered(applied.frame);
    }
    while (!unheard_.empty() && unheard_.front().serial <= applied.serial) {
        const Unheard now_heard = std::move(unheard_.front());
        unheard_.pop_front();
        now_heard.heard(applied.frame);
    }
}

/// The engine merges transactions in the order in which they come to wait at the same ports, which need not be that of
/// their revisions.
void PendingCommands::report_starts() {
    std::ranges::sort(starting_, {}, [](const Started& one) { return std::tuple{one.frame, one.revision}; });
    started_.insert(started_.end(), starting_.begin(), starting_.end());
    starting_.clear();
    for (std::size_t left = std::min(started_.size(), kStartsPerPoll); left > 0; --left) {
        const Started one = started_.front();
        started_.pop_front();
        resolve(one);
    }
}

/// Clients learn from the response before the event that their own change is heard.
void PendingCommands::resolve(const Started& started) {
    starts_.heard(started.revision, started.frame);
    unheard_revisions_.erase(started.revision);
    if (!first_announced_ || started.revision < *first_announced_) return;
    hub_.publish([&](v1::Event& event) {
        event.mutable_transaction_heard()->set_revision(started.revision);
        event.mutable_transaction_heard()->set_frame(started.frame);
    });
    if (scheduled_.heard) scheduled_.heard(started.revision, started.frame);
}

void PendingCommands::expire(TimePoint now) {
    // What has started and is not reported yet is not late.
    if (started_.empty()) starts_.expire(now, last_block_);
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
        const Waiting late = std::move(waiting_.front());
        waiting_.pop_front();
        late.answered(std::nullopt);
    }
}

void PendingCommands::advance_fade() {
    if (!fade_) return;
    if (!fade_->started) fade_->started = engine_.fade_device(0.0F, fade_->length_ms).has_value();
    if (!fade_->ended) return;
    const std::function<void()> done = std::move(fade_->done);
    fade_.reset();
    if (done) done();
}

}  // namespace rta::api
