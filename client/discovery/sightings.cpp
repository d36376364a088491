// SPDX-License-Identifier: MIT
#include "discovery/sightings.h"

#include <algorithm>
#include <tuple>

#include "frame/discovery.h"

namespace rta::client {

namespace {

/// Returns the value of a TXT record, or "" if it is missing or longer than any that a daemon publishes.
std::string value_of(const Sightings::Answer& answer, std::string_view key) {
    const auto found = std::ranges::find(answer.records, key, &std::pair<std::string, std::string>::first);
    return found == answer.records.end() || found->second.size() > kMaximumValueBytes ? std::string{} : found->second;
}

FoundDaemon to_daemon(const std::string& name, const Sightings::Answer& answer) {
    return {.name = name,
            .host = answer.host,
            .port = answer.port,
            .version = value_of(answer, discovery::kVersionKey),
            .instance = value_of(answer, discovery::kInstanceKey),
            .tls = value_of(answer, discovery::kTlsKey) == "1",
            .fingerprint = value_of(answer, discovery::kFingerprintKey)};
}

/// IPv4 first, then IPv6, then link-local IPv6, which only programs on the same link can use.
int rank_of(const std::string& address) {
    if (address.find(':') == std::string::npos) return 0;
    return address.find('%') == std::string::npos ? 1 : 2;
}

void add_address(std::vector<std::string>& addresses, const std::string& address) {
    if (address.empty() || std::ranges::find(addresses, address) != addresses.end()) return;
    addresses.push_back(address);
    std::ranges::sort(addresses, {}, [](const std::string& text) { return std::pair{rank_of(text), text}; });
}

}  // namespace

bool Sightings::appeared(const Key& key) {
    if (seen_.size() >= kMaximum && !seen_.contains(key)) {
        complete_ = false;
        return false;
    }
    return seen_.emplace(key, std::nullopt).second;
}

void Sightings::answered(const Key& key, Answer answer) {
    // It may have disappeared in the meantime.
    if (const auto found = seen_.find(key); found != seen_.end()) found->second = std::move(answer);
}

Discovery Sightings::discovery() const {
    Discovery result{.complete = complete_};
    const auto find = [&](const std::string& name, const std::string& host, std::uint16_t port) {
        return std::ranges::find_if(result.daemons, [&](const FoundDaemon& daemon) {
            return std::tie(daemon.name, daemon.host, daemon.port) == std::tie(name, host, port);
        });
    };
    for (const auto& [key, answer] : seen_) {
        if (!answer) continue;
        auto daemon = find(key.name, answer->host, answer->port);
        if (daemon == result.daemons.end()) {
            daemon = result.daemons.insert(daemon, to_daemon(key.name, *answer));
        }
        add_address(daemon->addresses, answer->address);
    }
    for (const auto& [key, answer] : seen_) {
        if (std::ranges::find(result.daemons, key.name, &FoundDaemon::name) == result.daemons.end()) {
            result.daemons.push_back({.name = key.name});
        }
    }
    std::ranges::sort(result.daemons, {},
                      [](const FoundDaemon& daemon) { return std::tie(daemon.name, daemon.host, daemon.port); });
    return result;
}

}  // namespace rta::client
