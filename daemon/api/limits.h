// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>

#include "api/scenes/scene_limits.h"
#include "frame/frame_codec.h"

namespace rta::api {

/// What one client may leave unread.
struct OutboxLimits {
    /// Bytes of responses and events. From here on, no more responses are created.
    std::size_t response_bytes = std::size_t{1} << 20U;
    /// Bytes of changes, beyond those in the system's socket buffers. Then the client is disconnected.
    std::size_t event_bytes = std::size_t{8} << 20U;
    /// Bytes of telemetry, unless it is a single event. Then the oldest is dropped.
    std::size_t telemetry_bytes = std::size_t{4} << 20U;
};

/// What clients may take of the control thread and of the memory with their requests and subscriptions.
struct ClientLimits {
    /// Size of a request after Hello. At most kMaximumFrameBytes, which client libraries accept.
    std::size_t message_bytes = kMaximumFrameBytes;
    /// Requests of a client received and not yet answered, and their memory. At the limit, no more are received.
    std::size_t pending_requests = 1024;
    std::size_t pending_bytes = std::size_t{8} << 20U;
    /// Memory of the requests of all clients. At the limit, no more are received from a client that has
    /// Client::kPendingBytesOfEach of its own.
    std::size_t pending_bytes_of_all = std::size_t{64} << 20U;
    OutboxLimits output{};
    /// Memory of the latest changes, at most KeptChanges::kMaximum, which clients that reconnect can resume with.
    std::size_t kept_bytes = std::size_t{16} << 20U;
    /// Clients that have subscribed.
    std::size_t subscriptions = 65'536;
    /// Different rates of telemetry at the same time, and of watched ports: each has its own measurements and events. A
    /// client that asks for a further one gets the nearest of these.
    std::size_t telemetry_rates = 8;
    /// Ports that all clients watch together, and their channels. A port that does not exist yet counts as one channel.
    std::size_t watched_ports = 256;
    std::size_t watched_channels = 2'048;
    /// The ports of each client, for all clients together: each is a part of an event.
    std::size_t watches = 16'384;
    /// Time of the control thread that clients use together in one pass, and of one turn.
    std::chrono::microseconds slice{125};
    SceneLimits scenes{};
};

}  // namespace rta::api
