// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "rta/byte_stream.h"
#include "rta/deadline.h"
#include "rta/endpoint.h"
#include "rta/error.h"
#include "rta/tls_options.h"

namespace rta::client {

struct TlsConnection {
    std::unique_ptr<ByteStream> stream;
    bool first_use = false;  ///< the daemon was not known before
};

/// Performs the TLS handshake on a connected stream and verifies the certificate of the daemon at `endpoint`. Errors:
/// untrusted; bad_certificate if the certificate of the client cannot be used; cannot_connect if the handshake fails.
[[nodiscard]] Expected<TlsConnection> connect_tls(std::unique_ptr<ByteStream> stream, const TcpEndpoint& endpoint,
                                                  const TlsOptions& options, const Deadline& deadline);

}  // namespace rta::client
