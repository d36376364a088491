// SPDX-License-Identifier: MIT
#pragma once

#include <asio/basic_socket_acceptor.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <string>
#include <string_view>

#include "net/address.h"
#include "net/socket_file.h"
#include "text/error.h"

namespace asio {
class io_context;
}

namespace rta::net {

/// A socket that listens for clients, close-on-exec.
struct ListeningSocket {
    asio::basic_socket_acceptor<asio::generic::stream_protocol> acceptor;
    std::string name;   ///< the address: "127.0.0.1:7340", "[::1]:7340", or a path
    bool tcp = false;   ///< otherwise a Unix socket
    bool tls = false;   ///< clients must use TLS; set for all addresses that other machines can reach
    SocketFile file{};  ///< of a Unix socket
};

/// See Server::listen_tcp(). Blocks during name resolution if the host is a name: call it only while the daemon starts.
[[nodiscard]] Expected<ListeningSocket> listen_tcp(asio::io_context& io, std::string_view address);

/// See Server::listen_unix(). Errors: also DEADLINE_EXCEEDED after one second, if another process holds a lock on the
/// folder.
[[nodiscard]] Expected<ListeningSocket> listen_unix(asio::io_context& io, const std::string& path,
                                                    SocketAccess access = SocketAccess::owner);

}  // namespace rta::net
