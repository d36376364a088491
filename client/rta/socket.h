// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "rta/byte_stream.h"
#include "rta/deadline.h"
#include "rta/endpoint.h"

namespace rta::client {

/// Connects a TCP or Unix socket. Resolves a host name and tries its addresses in turn. The error describes why the
/// last attempt failed.
[[nodiscard]] std::expected<std::unique_ptr<ByteStream>, std::string> connect_socket(const Endpoint& endpoint,
                                                                                     const Deadline& deadline);

}  // namespace rta::client
