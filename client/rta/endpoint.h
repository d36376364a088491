// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "frame/local_address.h"

namespace rta::client {

struct TcpEndpoint {
    std::string host;  ///< a name or an address; IPv6 addresses without brackets
    std::uint16_t port = kDefaultPort;
    [[nodiscard]] bool operator==(const TcpEndpoint&) const = default;
};

struct UnixEndpoint {
    std::string path;
    [[nodiscard]] bool operator==(const UnixEndpoint&) const = default;
};

/// An address at which a daemon listens. A new transport adds an alternative.
using Endpoint = std::variant<TcpEndpoint, UnixEndpoint>;

/// The addresses of one daemon, in order of preference. A type of its own, because the public headers only name it.
struct Endpoints {
    std::vector<Endpoint> list;
};

/// Returns "studio:7340", "[::1]:7340" or "/run/rtad/control.sock".
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

/// Returns whether the host is `localhost` or a loopback address. Does not resolve names: whether a connection is
/// encrypted must not depend on a name server.
[[nodiscard]] bool is_loopback(const TcpEndpoint& endpoint);

/// Parses `HOST`, `HOST:PORT`, `[IPV6]`, `[IPV6]:PORT`, or an IPv6 address without brackets.
[[nodiscard]] std::expected<TcpEndpoint, std::string> parse_tcp_endpoint(std::string_view text);

/// Parses the address of one daemon: the path of a Unix socket, if it contains a slash, or a TCP address.
[[nodiscard]] std::expected<Endpoint, std::string> parse_endpoint(std::string_view text);

/// Returns the addresses at which a daemon on this machine may listen, in order of preference: local_sockets(), then
/// TCP on the loopback interface.
[[nodiscard]] std::vector<Endpoint> local_endpoints(std::string_view runtime_directory,
                                                    std::string_view xdg_runtime_directory);

/// Uses $RUNTIME_DIRECTORY and $XDG_RUNTIME_DIR of this process.
[[nodiscard]] std::vector<Endpoint> local_endpoints();

}  // namespace rta::client
