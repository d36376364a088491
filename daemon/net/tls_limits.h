// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>

namespace rta::net {

struct TlsLimits {
    /// Time from the connection of a client to the end of its handshake.
    std::chrono::milliseconds handshake_time{5'000};
    /// Handshakes in progress, counted from the first byte of the client. Further ones wait for their turn.
    std::size_t handshakes = 64;
    /// The same from one address (api::network_of()): clients that begin a handshake and send no more must not delay those
    /// of other addresses.
    std::size_t handshakes_per_address = 16;
};

}  // namespace rta::net
