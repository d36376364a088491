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

/// Checks whether listen_tcp() would accept the address, without opening it. Returns the same errors. Blocks during
/// name resolution if the host is a name.
[[nodiscard]] Expected<void> check_address(std::string_view text);

/// Errors: INVALID_ARGUMENT if `path` is empty, contains a NUL byte, or is too long for a Unix socket.
[[nodiscard]] Expected<void> check_socket_path(const std::string& path);

/// Users that may connect to a Unix socket, apart from root. The permissions of its folder apply as well.
enum class SocketAccess : std::uint8_t {
    owner,  ///< mode 0600
    group,  ///< mode 0660
};

}  // namespace rta::net
