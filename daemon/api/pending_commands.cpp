// SPDX-License-Identifier: MIT
#include "api/pending_commands.h"

#include <utility>

#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

using namespace std::chrono_literals;

/// While a client awaits an answer. Half of it is added to the round-trip time on average.
constexpr auto kAwaitedInterval = 50us;
/// While a fade runs or a transaction is not in effect yet, and no client waits.
constexpr auto kOutstandingInterval = 2ms;
constexpr auto kIdleInterval = 50ms;

}  // namespace

void PendingCommands::await(const Ticket& ticket, TimePoint deadline, Answered answered) {
    waiting_.push_back({ticket.serial, deadline, std::move(answered)});
}

void PendingCommands::await_start(std::uint64_t revision, TimePoint deadline, Answered answered) {
    waiting_for_start_.insert_or_assign(revision, WaitingForStart{deadline, std::move(answered)});
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
    for (const Applied& one : std::exchange(applied_, {})) resolve(one);
    for (const Started& one : std::exchange(started_, {})) resolve(one);
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
    if (!waiting_.empty() || !waiting_for_start_.empty()) return kAwaitedInterval;
    if (fade_ || engine_.outstanding()) return kOutstandingInterval;
    return kIdleInterval;
}

void PendingCommands::applied(std::uint64_t serial, std::uint64_t frame) { applied_.push_back({serial, frame}); }

void PendingCommands::transaction_heard(std::uint64_t revision, std::uint64_t frame) {
    started_.push_back({revision, frame});
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

/// Clients learn from the response before the event that their own change is heard.
void PendingCommands::resolve(const Started& started) {
    if (auto waiting = waiting_for_start_.extract(started.revision)) waiting.mapped().answered(started.frame);
    if (announced_.erase(started.revision) == 0) return;  // the graph with which the daemon started
    hub_.publish([&](v1::Event& event) {
        event.mutable_transaction_heard()->set_revision(started.revision);
        event.mutable_transaction_heard()->set_frame(started.frame);
    });
}

void PendingCommands::expire(TimePoint now) {
    for (auto next = waiting_for_start_.begin(); next != waiting_for_start_.end();) {
        const auto waiting = next++;
        if (waiting->second.deadline > now) continue;
        const Answered answered = std::move(waiting->second.answered);
        waiting_for_start_.erase(waiting);
        answered(std::nullopt);
    }
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
