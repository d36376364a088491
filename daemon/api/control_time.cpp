// SPDX-License-Identifier: MIT
#include "api/control_time.h"

#include <algorithm>
#include <utility>

namespace rta::api {

using std::chrono::nanoseconds;

ControlTime::Scope::Scope(ControlTime& time, std::shared_ptr<Waiter> waiter)
    : time_{time},
      waiter_{std::move(waiter)},
      outer_{time.innermost_},
      counts_{outer_ == nullptr || outer_->waiter_ != waiter_} {
    if (!counts_) return;
    time_.count();
    time_.innermost_ = this;
}

ControlTime::Scope::~Scope() {
    if (!counts_) return;
    time_.count();
    time_.innermost_ = outer_;
}

/// Counts the time since the previous call for the client of the innermost scope.
void ControlTime::count() {
    const nanoseconds used = used_();
    const nanoseconds spent = used - std::exchange(counted_, used);
    if (innermost_ == nullptr || spent <= nanoseconds{0}) return;
    Waiter& waiter = *innermost_->waiter_;
    const TimePoint now = now_();
    TimePoint& forgotten = waiter.account().forgotten;
    forgotten = std::min(std::max(forgotten, now) + spent * kForgetting, now + kLongestDebt);
    if (in_turn_ == &waiter) {
        slice_left_ -= spent;
        return;
    }
    const bool was_over = pass_over();
    free_left_ -= spent;
    if (!was_over && pass_over()) report_pass_over();
}

bool ControlTime::may_run(const std::shared_ptr<Waiter>& waiter) {
    if (innermost_ != nullptr && innermost_->waiter_ == waiter) count();
    if (in_turn_ != waiter.get() ? !pass_over() : std::exchange(turn_begins_, false) || slice_left_ > nanoseconds{0})
        return true;
    wait(waiter);
    return false;
}

bool ControlTime::may_run_urgently(const std::shared_ptr<Waiter>& waiter) {
    const TimePoint now = now_();
    TimePoint& due = waiter->account().urgent_due;
    if (due >= now + kUrgentAtOnce * kUrgentInterval) return may_run(waiter);
    due = std::max(due, now) + kUrgentInterval;
    return true;
}

void ControlTime::wait(const std::shared_ptr<Waiter>& waiter) {
    if (std::exchange(waiter->account().waits, true)) return;
    const bool was_over = pass_over();
    waiting_.emplace_back(waiter);
    if (!was_over) report_pass_over();
}

std::shared_ptr<Waiter> ControlTime::take_lightest() {
    std::erase_if(waiting_, [](const std::weak_ptr<Waiter>& waiter) { return waiter.expired(); });
    const auto lightest = std::ranges::min_element(
        waiting_, {}, [](const std::weak_ptr<Waiter>& waiter) { return waiter.lock()->account().forgotten; });
    if (lightest == waiting_.end()) return nullptr;
    auto taken = lightest->lock();
    waiting_.erase(lightest);
    return taken;
}

void ControlTime::begin_pass() {
    free_left_ = slice_;
    slice_left_ = nanoseconds{0};
    const auto waiter = take_lightest();
    in_turn_ = waiter.get();
    if (waiter == nullptr) return;
    slice_left_ = slice_;
    turn_begins_ = true;
    waiter->account().waits = false;
    waiter->resume();
}

}  // namespace rta::api
