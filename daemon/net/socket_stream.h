// SPDX-License-Identifier: MIT
#pragma once

#include <asio/generic/stream_protocol.hpp>
#include <memory>

#include "net/byte_stream.h"

namespace rta::net {

/// A connected TCP or Unix socket.
using StreamSocket = asio::generic::stream_protocol::socket;

/// Returns a stream that reads and writes `socket` directly.
[[nodiscard]] std::unique_ptr<ByteStream> make_socket_stream(StreamSocket socket);

}  // namespace rta::net
