// SPDX-License-Identifier: MIT
#include "api/failed_attempts.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "api/client.h"

namespace rta::api {
namespace {

/// Returns the host of HOST:PORT, without brackets.
std::string host_of(std::string_view address) {
    std::string_view host = address.substr(0, address.rfind(':'));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return std::string{host.substr(0, host.find('%'))};
}

}  // namespace

std::string network_of(std::string_view address) {
    std::string host = host_of(address);
    in_addr ipv4{};
    if (::inet_pton(AF_INET, host.c_str(), &ipv4) == 1) return host;
    in6_addr ipv6{};
    if (::inet_pton(AF_INET6, host.c_str(), &ipv6) != 1) return std::string{address};
    char text[INET6_ADDRSTRLEN]{};
    if (IN6_IS_ADDR_V4MAPPED(&ipv6)) {
        ::inet_ntop(AF_INET, &ipv6.s6_addr[12], text, sizeof text);
        return text;
    }
    std::fill(&ipv6.s6_addr[8], &ipv6.s6_addr[8] + 8, std::uint8_t{0});
    ::inet_ntop(AF_INET6, &ipv6, text, sizeof text);
    return std::string{text} + "/64";
}

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
    const std::string network = entry.user_id ? "uid " + std::to_string(*entry.user_id) : network_of(entry.address);
    if (!limiter_.exceeds(network, now)) {
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
