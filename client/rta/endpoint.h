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
    std::string host;  ///< a name or an address; IPv6 without its brackets
    std::uint16_t port = kDefaultPort;
    [[nodiscard]] bool operator==(const TcpEndpoint&) const = default;
};

struct UnixEndpoint {
    std::string path;
    [[nodiscard]] bool operator==(const UnixEndpoint&) const = default;
};

/// Where a daemon listens.
using Endpoint = std::variant<TcpEndpoint, UnixEndpoint>;

/// "studio:7340", "[::1]:7340", "/run/rtad/control.sock".
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

/// Reads `HOST`, `HOST:PORT`, `[IPV6]`, `[IPV6]:PORT`, or a bare IPv6 address. The error is a sentence.
[[nodiscard]] std::expected<TcpEndpoint, std::string> parse_tcp_endpoint(std::string_view text);

/// Where a local daemon is looked for, in this order: local_sockets(), then TCP on loopback.
[[nodiscard]] std::vector<Endpoint> local_endpoints(std::string_view runtime_directory,
                                                    std::string_view xdg_runtime_directory);

/// The same with $RUNTIME_DIRECTORY and $XDG_RUNTIME_DIR of this process.
[[nodiscard]] std::vector<Endpoint> local_endpoints();

}  // namespace rta::client
