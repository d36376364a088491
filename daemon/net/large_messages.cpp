// SPDX-License-Identifier: MIT
#include "net/large_messages.h"

#include <algorithm>

namespace rta::net {

bool LargeMessages::enter(const std::shared_ptr<Holder>& holder) {
    const auto is_holder = [&](const Place& place) { return place.address == holder.get(); };
    if (std::ranges::any_of(places_, is_holder)) return true;
    const bool waits = std::ranges::any_of(waiting_, is_holder);
    const bool next = waiting_.empty() || waiting_.front().address == holder.get();
    if (places_.size() < place_count_ && next) {
        if (waits) waiting_.pop_front();
        places_.push_back({holder, holder.get(), Clock::now()});
        wake_next();
        return true;
    }
    if (!waits) waiting_.push_back({holder, holder.get(), Clock::now()});
    watch();
    return false;
}

void LargeMessages::leave(const Holder& holder) {
    const auto is_holder = [&](const Place& place) { return place.address == &holder; };
    if (std::erase_if(places_, is_holder) + std::erase_if(waiting_, is_holder) != 0) wake_next();
}

void LargeMessages::wake_next() {
    while (!waiting_.empty() && places_.size() < place_count_) {
        if (const auto holder = waiting_.front().holder.lock()) return holder->place_free();
        waiting_.pop_front();
    }
}

void LargeMessages::watch() {
    if (watching_ || waiting_.empty()) return;
    watching_ = true;
    timer_.expires_after(longest_ / 10);
    timer_.async_wait([self = weak_from_this()](const asio::error_code& cancelled) {
        const auto alive = self.lock();
        if (cancelled || alive == nullptr) return;
        alive->watching_ = false;
        alive->end_slow();
        alive->watch();
    });
}

void LargeMessages::end_slow() {
    const Clock::time_point now = Clock::now();
    for (const Place& place : std::vector{places_}) {
        const auto holder = place.holder.lock();
        if (holder == nullptr || holder->waits_for_daemon() || now - place.since < longest_) continue;
        holder->end_large_message();
    }
    std::erase_if(places_, [](const Place& place) { return place.holder.expired(); });
    wake_next();
}

}  // namespace rta::net
