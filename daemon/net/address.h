// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::net {

struct HostAndPort {
    std::string host;  ///< IPv6 addresses without brackets
    std::uint16_t port = 0;
};

/// Parses `HOST:PORT` or `[IPV6]:PORT`. Errors: INVALID_ARGUMENT.
[[nodiscard]] Expected<HostAndPort> parse_address(std::string_view text);

/// An address of --listen: `HOST:PORT` or `tls://HOST:PORT`.
struct ListenAddress {
    std::string host;        ///< the IP address that HOST stands for
    std::string name;        ///< IP address and port, "127.0.0.1:7340" or "[::1]:7340"
    bool reachable = false;  ///< by other machines: not a loopback address
    bool tls = false;        ///< reachable, or with the prefix `tls://`
};

/// Resolves an address of --listen: a name to its first IPv4 address, or to its first IPv6 address if it has no IPv4
/// address. Blocks during name resolution if the host is a name. Errors: INVALID_ARGUMENT, NOT_FOUND.
[[nodiscard]] Expected<ListenAddress> resolve_listen_address(std::string_view text);

/// Errors: INVALID_ARGUMENT if `path` is empty, contains a NUL byte, or is too long for a Unix socket.
[[nodiscard]] Expected<void> check_socket_path(const std::string& path);

/// Users that may connect to a Unix socket, apart from root. The permissions of its folder apply as well.
enum class SocketAccess : std::uint8_t {
    owner,  ///< mode 0600
    group,  ///< mode 0660
};

}  // namespace rta::net
