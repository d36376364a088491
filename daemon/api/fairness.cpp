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

bool RoomQueue::waits(const Waiter& waiter) const {
    return std::ranges::any_of(waiting_, [&](const Place& place) { return place.waiter.lock().get() == &waiter; });
}

void RoomQueue::took_room(const Waiter& waiter) {
    if (std::exchange(in_turn_, nullptr) != &waiter) return;
    const Place place = std::exchange(turn_, {});
    place.waiter.lock()->room().*account_ = place.end;
    given_ += place.bytes / (waiting_.size() + 1);
}

void RoomQueue::wait(const std::shared_ptr<Waiter>& waiter, std::size_t bytes) {
    if (in_turn_ == waiter.get()) {
        full_ = true;
        in_turn_ = nullptr;
        waiting_.insert(std::ranges::lower_bound(waiting_, turn_.end, {}, &Place::end), turn_);
    } else if (!waits(*waiter)) {
        const std::uint64_t end = std::max(waiter->room().*account_, given_) + bytes;
        waiting_.insert(std::ranges::upper_bound(waiting_, end, {}, &Place::end), {waiter, bytes, end});
    }
}

void RoomQueue::retry(TimePoint now) {
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
    }
}

void ProgressQueue::wait(const std::shared_ptr<Waiter>& waiter) {
    const auto same = [&](const std::weak_ptr<Waiter>& other) { return other.lock() == waiter; };
    if (std::ranges::none_of(waiting_, same)) waiting_.emplace_back(waiter);
}

void ProgressQueue::retry(TimePoint now, std::uint64_t progress) {
    expire_all({waiting_.begin(), waiting_.end()}, now);
    if (std::exchange(progress_, progress) == progress) return;
    for (std::size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) {
        const auto waiter = waiting_.front().lock();
        waiting_.pop_front();
        if (waiter != nullptr) waiter->resume();
    }
}

}  // namespace rta::api
