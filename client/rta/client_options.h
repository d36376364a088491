// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>

#include "rta/tls_options.h"

namespace rta::client {

struct ClientOptions {
    std::string client_name = "librta";  ///< shown to other clients and in the daemon's log; at most 128 bytes
    /// Access token, or "code:" and a one-time code; empty: none. Blanks around it are ignored. See Hello.token.
    std::string token{};
    TlsOptions tls{};
    /// Limit for connecting, and for each call.
    std::chrono::milliseconds timeout = std::chrono::seconds{10};
};

}  // namespace rta::client

namespace rta {
using client::ClientOptions;
}
