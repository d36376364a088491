// SPDX-License-Identifier: MIT
#include "net/web/web_turns.h"

#include <algorithm>
#include <ctime>

namespace rta::net {
namespace {

/// Returns the processor time of this thread, which does not grow while other programs run.
std::chrono::nanoseconds processor_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

}  // namespace

WebTurns::Step::Step(WebTurns& turns) : turns_{turns}, start_{processor_time()} {}

WebTurns::Step::~Step() { turns_.stepped(processor_time() - start_); }

bool WebTurns::may_step(const std::shared_ptr<Waiter>& waiter, const std::string& network) {
    // Connections that were closed while they waited.
    std::erase_if(waiting_, [](const Place& place) { return place.waiter.expired(); });
    const Clock::time_point now = Clock::now();
    if (waiting_.empty() && now >= due_) {
        due_ = now + kInterval;
        return true;
    }
    std::uint64_t& last = rounds_[network];
    last = std::max(last, round_) + 1;
    waiting_.insert(std::ranges::upper_bound(waiting_, last, {}, &Place::round), {.waiter = waiter, .round = last});
    watch();
    return false;
}

void WebTurns::stepped(std::chrono::nanoseconds time) { due_ = std::max(due_, Clock::now()) + kShare * time; }

void WebTurns::watch() {
    if (watching_ || waiting_.empty()) return;
    watching_ = true;
    timer_.expires_at(due_);
    timer_.async_wait([weak = weak_from_this()](const asio::error_code& cancelled) {
        const auto self = weak.lock();
        if (cancelled || self == nullptr) return;
        self->watching_ = false;
        self->give_turn();
        self->watch();
    });
}

void WebTurns::give_turn() {
    const Clock::time_point now = Clock::now();
    if (now < due_) return;  // the last step took long
    while (!waiting_.empty()) {
        const auto waiter = waiting_.front().waiter.lock();
        round_ = waiting_.front().round;
        waiting_.pop_front();
        std::erase_if(rounds_, [this](const auto& last) { return last.second < round_; });
        if (waiter == nullptr) continue;
        due_ = now + kInterval;
        return waiter->turn_has_come();
    }
}

}  // namespace rta::net
