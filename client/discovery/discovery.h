// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace rta::client {

/// A daemon on the local network, as it describes itself. All text comes from the network: its length is bounded, but it
/// may contain any byte except NUL.
struct FoundDaemon {
    std::string name;    ///< at most 63 bytes
    std::string host{};  ///< "studio.local", at most 1014 bytes; empty: the daemon was announced, but did not answer
    std::uint16_t port = 0;                ///< TCP
    std::vector<std::string> addresses{};  ///< numeric, such as "192.0.2.7" or "fe80::1%eth0"; IPv4 first
    // At most kMaximumValueBytes each; empty: not reported.
    std::string version{};
    std::string instance{};     ///< the instance id in HelloResult
    bool tls = false;           ///< clients connect over TLS
    std::string fingerprint{};  ///< of the TLS certificate, "SHA256:..."
    [[nodiscard]] bool operator==(const FoundDaemon&) const = default;
};

inline constexpr std::size_t kMaximumValueBytes = 64;

struct Discovery {
    std::vector<FoundDaemon> daemons{};  ///< sorted by name
    bool complete = true;                ///< false: there were more announcements than are collected
};

/// Collects the daemons that are announced within `time` (DNS-SD, through Avahi). Blocks for that time. If Avahi does not
/// respond, returns an error within 5 s more. The error is a sentence that says what to install and start.
[[nodiscard]] std::expected<Discovery, std::string> discover(std::chrono::milliseconds time);

}  // namespace rta::client
