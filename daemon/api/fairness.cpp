// SPDX-License-Identifier: MIT
#include "api/fairness.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

namespace rta::api {
namespace {

void enqueue_once(std::deque<std::weak_ptr<Waiter>>& queue, const std::shared_ptr<Waiter>& waiter) {
    const auto same = [&](const std::weak_ptr<Waiter>& other) { return other.lock() == waiter; };
    if (std::ranges::none_of(queue, same)) queue.emplace_back(waiter);
}

/// Expires requests whose timeout has passed. A client whose request expires may queue again with its next one.
void expire_all(const std::deque<std::weak_ptr<Waiter>>& queue, TimePoint now) {
    for (const auto& waiting : std::deque{queue}) {
        if (const auto waiter = waiting.lock()) waiter->expire(now);
    }
}

/// Keeps the order of those that have used as much.
void sort_by_use(std::deque<std::weak_ptr<Waiter>>& queue) {
    struct Place {
        std::chrono::nanoseconds used;
        std::size_t index;
        std::weak_ptr<Waiter> waiter;
    };
    std::vector<Place> places;
    places.reserve(queue.size());
    for (const auto& waiting : queue) {
        if (const auto waiter = waiting.lock()) places.push_back({waiter->account().used, places.size(), waiting});
    }
    std::ranges::sort(places, {}, [](const Place& place) { return std::tuple{place.used, place.index}; });
    queue.resize(places.size());  // never grows, so it cannot fail and lose a client
    std::ranges::transform(places, queue.begin(), [](Place& place) { return std::move(place.waiter); });
}

}  // namespace

void RoomQueue::took_room(const Waiter& waiter) {
    if (in_turn_ == &waiter) in_turn_ = nullptr;
}

void RoomQueue::wait(const std::shared_ptr<Waiter>& waiter) {
    if (in_turn_ != waiter.get()) return enqueue_once(waiting_, waiter);
    in_turn_ = nullptr;
    full_ = true;
    waiting_.emplace_front(waiter);
}

void RoomQueue::retry(TimePoint now) {
    expire_all(waiting_, now);
    full_ = false;
    sort_by_use(waiting_);
    // One round: a client that queues again with a further request waits for the next.
    for (std::size_t left = waiting_.size(); left > 0 && !full_ && !waiting_.empty(); --left) {
        const auto waiter = waiting_.front().lock();
        waiting_.pop_front();
        if (waiter == nullptr) continue;
        in_turn_ = waiter.get();
        waiter->resume();
        in_turn_ = nullptr;
    }
}

void ProgressQueue::wait(const std::shared_ptr<Waiter>& waiter) { enqueue_once(waiting_, waiter); }

void ProgressQueue::retry(TimePoint now, std::uint64_t progress) {
    expire_all(waiting_, now);
    if (std::exchange(progress_, progress) == progress) return;
    for (std::size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) {
        const auto waiter = waiting_.front().lock();
        waiting_.pop_front();
        if (waiter != nullptr) waiter->resume();
    }
}

}  // namespace rta::api
