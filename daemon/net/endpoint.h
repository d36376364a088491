// SPDX-License-Identifier: MIT
#pragma once

#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::net {

struct ListenTarget {
    asio::ip::tcp::endpoint endpoint;
    bool forces_tls = false;  ///< by the prefix `tls://`
};

/// See resolve_listen_address().
[[nodiscard]] Expected<ListenTarget> resolve_listen_target(std::string_view text);

/// Errors: see check_socket_path().
[[nodiscard]] Expected<asio::local::stream_protocol::endpoint> unix_endpoint(const std::string& path);

/// Whether two addresses exclude each other: they have the same port, and the same IP address, or one stands for all.
[[nodiscard]] bool overlap(const asio::ip::tcp::endpoint& a, const asio::ip::tcp::endpoint& b);

/// Returns "127.0.0.1:7340" or "[::1]:7340".
[[nodiscard]] std::string to_string(const asio::ip::tcp::endpoint& endpoint);

}  // namespace rta::net
