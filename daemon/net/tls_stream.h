// SPDX-License-Identifier: MIT
#pragma once

#include <asio/error_code.hpp>
#include <functional>
#include <memory>
#include <string>

#include "net/byte_stream.h"
#include "net/socket_stream.h"
#include "net/tls_network.h"

namespace rta::net {

/// Returns a stream that encrypts what it writes to `socket` and decrypts what it reads. Its first read or write
/// performs the handshake. `address` is that of the client, as TlsLimits counts them. `handshake_failed`, which must not throw, is called on the control thread if the handshake
/// fails; the error is eof if the client has sent nothing.
///
/// A client that closes its socket without the TLS message close_notify causes an error, like a client that resets the
/// connection: otherwise an attacker could cut the stream without being noticed.
[[nodiscard]] std::unique_ptr<ByteStream> make_tls_stream(
    StreamSocket socket, std::shared_ptr<TlsNetwork> network, std::string address,
    std::function<void(const asio::error_code&)> handshake_failed);

}  // namespace rta::net
