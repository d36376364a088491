// SPDX-License-Identifier: MIT
#include "api/failed_attempts.h"

#include <algorithm>
#include <utility>

#include "api/client.h"

namespace rta::api {

bool AttemptLimiter::exceeds(const std::string& network, TimePoint now) {
    if (networks_.size() >= kMaximumNetworks && !networks_.contains(network)) forget_one();
    Bucket& bucket = networks_.try_emplace(network, kBurst, now).first->second;
    const double passed_s = std::chrono::duration<double>(now - bucket.updated).count();
    bucket.left = std::min(kBurst, bucket.left + passed_s * kPerSecond);
    bucket.updated = now;
    if (bucket.left < 1.0) return true;
    bucket.left -= 1.0;
    return false;
}

void AttemptLimiter::forget_one() {
    const auto oldest = std::ranges::min_element(networks_, {}, [](const auto& entry) { return entry.second.updated; });
    networks_.erase(oldest);
}

void FailedAttempts::refuse(Call& call, const Error& error, TimePoint now) {
    const Entry& entry = call.client.entry();
    const std::string origin = entry.user_id ? "uid " + std::to_string(*entry.user_id) : network_of(entry);
    if (!limiter_.exceeds(origin, now)) {
        call.client.refuse_stream(call.request, error);
        return;
    }
    call.client.stop_stream();
    call.request.stage = PendingRequest::Stage::executed;
    delayed_.push_back({.due = now + kDelay, .call = call.handle(), .error = error});
}

void FailedAttempts::poll(TimePoint now) {
    while (!delayed_.empty() && delayed_.front().due <= now) {
        const Delayed due = std::move(delayed_.front());
        delayed_.pop_front();
        due.call.resume([&](Call& later) { later.request.refuse(due.error); });
    }
}

}  // namespace rta::api
