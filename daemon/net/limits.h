// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>

#include "api/limits.h"

namespace rta::net {

/// What clients may take of the daemon before and after their Hello.
struct ServerLimits {
    std::size_t clients = 512;              ///< all clients; some places are reserved, see Admission
    std::size_t clients_per_address = 128;  ///< of one IPv4 address or IPv6 /64; of loopback together
    std::size_t clients_per_user = 128;     ///< of one user id, over Unix sockets
    /// A client that has sent no Hello after this time is disconnected without an answer.
    std::chrono::milliseconds hello_time{10'000};
    /// A client that has sent nothing for this time, has never subscribed and awaits no answer is disconnected with
    /// DEADLINE_EXCEEDED. 0: never.
    std::chrono::milliseconds idle_time{0};
    /// The same client makes room for another one after this time, when a limit above is reached.
    std::chrono::milliseconds displaceable_time{10'000};
    /// A client that takes no byte of its output for this time is disconnected.
    std::chrono::milliseconds write_time{30'000};
    /// A client that takes longer for a message of 64 KiB or more, while others wait to send theirs, is refused with
    /// DEADLINE_EXCEEDED.
    std::chrono::milliseconds large_message_time{10'000};
    /// Clients that send such messages at the same time.
    std::size_t large_messages = 16;
    api::ClientLimits requests{};
};

}  // namespace rta::net
