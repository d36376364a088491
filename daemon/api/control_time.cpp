// SPDX-License-Identifier: MIT
#include "api/control_time.h"

#include <algorithm>
#include <optional>
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
    charge(waiter.account(), spent);
    if (in_turn_.lock().get() == &waiter) {
        slice_left_ -= spent;
        return;
    }
    const bool was_over = pass_over();
    free_left_ -= spent;
    if (!was_over && pass_over()) report_pass_over();
}

/// While no client waits, use is not charged, and all debts are cancelled.
void ControlTime::charge(TimeAccount& account, nanoseconds spent) {
    if (waiting_.empty()) {
        served_ = std::max(served_, most_used_ + head_start());
        return;
    }
    served_ += spent / (waiting_.size() + 1);
    const nanoseconds most = served_ + nanoseconds{kLongestDebt} / waiting_.size();
    account.used = std::min(std::max(account.used, floor()) + spent, most);
    most_used_ = std::max(most_used_, account.used);
}

bool ControlTime::may_run(const std::shared_ptr<Waiter>& waiter) {
    if (innermost_ != nullptr && innermost_->waiter_ == waiter) count();
    if (in_turn_.lock() != waiter ? !pass_over() : std::exchange(turn_begins_, false) || slice_left_ > nanoseconds{0})
        return true;
    wait(waiter);
    return false;
}

bool ControlTime::may_finish(const std::shared_ptr<Waiter>& waiter, std::size_t bytes) {
    return bytes <= kSmallAnswerBytes || waiter->account().used < served_ - slice_ || may_run(waiter);
}

bool ControlTime::may_run_urgently(const std::shared_ptr<Waiter>& waiter) {
    const TimePoint now = now_();
    TimePoint& due = waiter->account().urgent_due;
    if (due >= now + kUrgentAtOnce * kUrgentInterval) return may_run(waiter);
    due = std::max(due, now) + kUrgentInterval;
    return true;
}

void ControlTime::wait(const std::shared_ptr<Waiter>& waiter) {
    TimeAccount& account = waiter->account();
    if (std::exchange(account.waits, true)) return;
    const bool is_new = !account.expected;
    account.start = std::max(account.used, is_new ? served_ : floor());
    const bool was_over = pass_over();
    waiting_.emplace_back(waiter);
    if (!was_over) report_pass_over();
}

std::shared_ptr<Waiter> ControlTime::take_lightest() {
    std::erase_if(waiting_, [](const std::weak_ptr<Waiter>& waiter) { return waiter.expired(); });
    const auto end_of_turn = [this](const std::weak_ptr<Waiter>& waiter) {
        const TimeAccount& account = waiter.lock()->account();
        return account.start + account.expected.value_or(slice_);
    };
    const auto lightest = std::ranges::min_element(waiting_, {}, end_of_turn);
    if (lightest == waiting_.end()) return nullptr;
    auto taken = lightest->lock();
    waiting_.erase(lightest);
    return taken;
}

void ControlTime::end_turn() {
    const auto waiter = in_turn_.lock();
    if (waiter == nullptr) return;
    std::optional<nanoseconds>& expected = waiter->account().expected;
    const nanoseconds used = slice_ - slice_left_;
    const nanoseconds before = expected.value_or(used);
    expected = before + (used - before) / kExpectedTurns;
    long_turn_ = std::max(used, long_turn_ - long_turn_ / kLongTurns);
}

void ControlTime::begin_pass() {
    end_turn();
    free_left_ = slice_;
    slice_left_ = nanoseconds{0};
    const auto waiter = take_lightest();
    in_turn_ = waiter;
    if (waiter == nullptr) return;
    slice_left_ = slice_;
    turn_begins_ = true;
    waiter->account().waits = false;
    waiter->resume();
}

}  // namespace rta::api
