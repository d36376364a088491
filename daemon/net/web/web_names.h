// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/error.h"

namespace rta::net {

/// The names under which browsers reach a web server. Host and Origin of each request are compared with them as a whole:
/// a page of another host whose name resolves to this machine (DNS rebinding) has another Host.
class WebNames {
 public:
    /// `hosts` are host names and IP addresses, IPv6 without brackets; `further` has the form NAME or NAME:PORT.
    WebNames(std::span<const std::string> hosts, std::span<const std::string> further, std::uint16_t port, bool tls);

    /// Whether a Host names this server. `local` is the IP address at which the client has connected: a name in DNS is
    /// never an address.
    [[nodiscard]] bool has_host(std::string_view host, std::string_view local) const;
    /// The same for an Origin: `http://HOST` or `https://HOST`.
    [[nodiscard]] bool has_origin(std::string_view origin, std::string_view local) const;
    /// Returns the Origin of the first name, for the log.
    [[nodiscard]] std::string first_origin() const { return scheme() + authorities_.front(); }
    [[nodiscard]] bool tls() const { return tls_; }

 private:
    [[nodiscard]] std::string scheme() const { return tls_ ? "https://" : "http://"; }
    [[nodiscard]] std::string with_port(std::string_view authority) const;
    [[nodiscard]] std::string authority_of(std::string_view host) const;

    const std::uint16_t port_;
    const bool tls_;
    std::vector<std::string> authorities_;  ///< HOST:PORT in lower case
};

/// Checks a name of --web-name: NAME or NAME:PORT, where NAME is a host name, an IPv4 address, or an IPv6 address in
/// brackets. Errors: INVALID_ARGUMENT. [any]
[[nodiscard]] Expected<void> check_web_name(std::string_view text);
/// Returns the host of such a name, without brackets. [any]
[[nodiscard]] std::string host_of_web_name(std::string_view name);

}  // namespace rta::net
