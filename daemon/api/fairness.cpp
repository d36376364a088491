// SPDX-License-Identifier: MIT
#include "api/fairness.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace rta::api {
namespace {

/// Expires requests whose timeout has passed. A client whose request expires may queue again with its next one.
void expire_all(const std::vector<std::weak_ptr<Waiter>>& queue, TimePoint now) {
    for (const auto& waiting : queue) {
        if (const auto waiter = waiting.lock()) waiter->expire(now);
    }
}

}  // namespace

void RoomQueue::took_room(Waiter& waiter) {
    if (std::exchange(in_turn_, nullptr) != &waiter) return;
    waiter.room().*account_ = turn_.end;
    const std::size_t sharers = waiting_.size() + 1;
    rest_ += turn_.size;
    given_ += rest_ / sharers;
    rest_ %= sharers;
}

void RoomQueue::leave_turn(const Waiter& waiter) {
    if (in_turn_ == &waiter) in_turn_ = nullptr;
}

void RoomQueue::wait(const std::shared_ptr<Waiter>& waiter, std::size_t size) {
    if (in_turn_ == waiter.get()) {
        in_turn_ = nullptr;
        if (turn_.size == size) {
            full_ = true;
            waiting_.insert(std::ranges::lower_bound(waiting_, turn_.end, {}, &Place::end), turn_);
            return;
        }
    }
    const auto place = std::ranges::find_if(waiting_, [&](const Place& one) { return one.waiter.lock() == waiter; });
    if (place != waiting_.end()) {
        if (place->size == size) return;
        waiting_.erase(place);
    }
    const std::uint64_t end = std::max(waiter->room().*account_, given_) + size;
    waiting_.insert(std::ranges::upper_bound(waiting_, end, {}, &Place::end), {waiter, size, end});
}

void RoomQueue::retry(TimePoint now, const std::function<bool()>& over) {
    // Clients that have left share nothing, and their places may never come to the front.
    std::erase_if(waiting_, [](const Place& place) { return place.waiter.expired(); });
    std::vector<std::weak_ptr<Waiter>> waiters;
    std::ranges::transform(waiting_, std::back_inserter(waiters), &Place::waiter);
    expire_all(waiters, now);
    full_ = false;
    // One round: other work of the control thread must not wait for clients that queue again with further requests.
    for (std::size_t left = waiting_.size(); left > 0 && !full_ && !waiting_.empty(); --left) {
        turn_ = waiting_.front();
        waiting_.erase(waiting_.begin());
        const auto waiter = turn_.waiter.lock();
        in_turn_ = waiter.get();
        if (waiter != nullptr) waiter->resume();
        in_turn_ = nullptr;
        if (over()) return;
    }
}

void ProgressQueue::wait(const std::shared_ptr<Waiter>& waiter) {
    const auto same = [&](const std::weak_ptr<Waiter>& other) { return other.lock() == waiter; };
    if (std::ranges::none_of(waiting_, same)) waiting_.emplace_back(waiter);
}

void ProgressQueue::retry(TimePoint now, std::uint64_t progress, const std::function<bool()>& over) {
    expire_all({waiting_.begin(), waiting_.end()}, now);
    if (std::exchange(progress_, progress) != progress) due_ = waiting_.size();
    while (due_ > 0 && !waiting_.empty()) {
        const auto waiter = waiting_.front().lock();
        waiting_.pop_front();
        --due_;
        if (waiter == nullptr) continue;
        waiter->resume();
        if (over()) return;
    }
    due_ = 0;
}

}  // namespace rta::api
