// SPDX-License-Identifier: MIT
#pragma once

#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::net {

/// Resolves `HOST:PORT` to its first IPv4 address, or to its first IPv6 address if it has no IPv4 address. Blocks
/// during name resolution if the host is a name. Errors: see Server::listen_tcp(); any address that is not a loopback
/// address is refused.
[[nodiscard]] Expected<asio::ip::tcp::endpoint> resolve_loopback(std::string_view text);

/// Errors: see check_socket_path().
[[nodiscard]] Expected<asio::local::stream_protocol::endpoint> unix_endpoint(const std::string& path);

/// Returns "127.0.0.1:7340" or "[::1]:7340".
[[nodiscard]] std::string to_string(const asio::ip::tcp::endpoint& endpoint);

}  // namespace rta::net
