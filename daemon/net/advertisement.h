// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "net/log.h"
#include "text/error.h"

namespace rta::net {

/// What an advertisement reports about the daemon, apart from its name and addresses: its TXT records.
struct AdvertisedFacts {
    std::string version{};          ///< of rtad
    std::string instance{};         ///< the instance id in HelloResult
    std::string tls_fingerprint{};  ///< of the certificate, "SHA256:..."; empty: clients connect without TLS
};

/// In the name of an advertisement, stands for the name of the host.
inline constexpr std::string_view kHostNameMark = "%h";

/// Checks the name of an advertisement. Errors: INVALID_ARGUMENT unless it has 1 to 63 bytes of printable UTF-8. [any]
[[nodiscard]] Expected<void> check_service_name(std::string_view name);

/// Returns whether other machines can reach one of the addresses, which are as Server::listen_tcp() returns them. [any]
[[nodiscard]] bool any_reachable(std::span<const std::string> addresses);

/// Publishes a daemon on the local network (DNS-SD, through Avahi), so that `rtactl discover` finds it. If another daemon
/// has the name, a number is added to it.
///
/// The calls into Avahi wait for D-Bus, so they are made on a separate thread. Without Avahi, and whenever it is stopped
/// or restarted, that thread retries until it succeeds. When the process exits in any way, Avahi withdraws the
/// advertisement.
class Advertisement {
 public:
    /// `name` may contain kHostNameMark. `addresses` are as Server::listen_tcp() returns them; loopback addresses are
    /// not advertised. `log` is called on the thread of the advertisement, at most once in 5 s, and never after the
    /// destructor. [control]
    Advertisement(std::string name, std::span<const std::string> addresses, AdvertisedFacts facts, LogSink log);
    Advertisement(const Advertisement&) = delete;
    Advertisement& operator=(const Advertisement&) = delete;
    /// Withdraws the advertisement and waits until that is done, but no longer than kWithdrawLimit. [control]
    ~Advertisement();

    /// Starts to withdraw the advertisement. Does not wait. [control]
    void withdraw();

    /// A hanging D-Bus or Avahi may block for longer. It is abandoned then.
    static constexpr std::chrono::milliseconds kWithdrawLimit{500};

 private:
    struct Shared;

    std::shared_ptr<Shared> shared_;  ///< an abandoned thread outlives the object
    std::thread thread_;
};

}  // namespace rta::net
