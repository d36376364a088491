// SPDX-License-Identifier: MIT
#pragma once

#include <asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "net/byte_stream.h"

namespace rta::net {

/// Returns the server's side of a WebSocket over `inner`, whose handshake is complete. It reads and writes delimited
/// messages: each is the payload of one binary message. `received` are bytes that have followed the handshake.
///
/// It answers pings and the closing handshake, and closes the WebSocket with a status code if the client violates
/// RFC 6455, or sends text.
[[nodiscard]] std::unique_ptr<ByteStream> make_websocket_stream(const asio::any_io_executor& executor,
                                                                std::unique_ptr<ByteStream> inner,
                                                                std::string received);

}  // namespace rta::net
