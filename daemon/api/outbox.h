// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/shared_frame.h"

namespace rta::v1 {
class ServerMessage;
}

namespace rta::api {

/// A serialised v1::Event of telemetry, without its numbers, that several outboxes hold at once.
using SharedTelemetry = std::shared_ptr<const std::string>;

/// What a connection has still to write, in order. Answers are bounded by whoever makes them: none is begun while
/// there is no room. Events come unasked, so they have a limit of their own; beyond it the client is given up, because
/// a change is never dropped. Telemetry waits in a queue of its own, of which the oldest is dropped and counted; it
/// goes out behind everything else, and gets its numbers only then, so that whoever reads slowly learns how much is
/// missing. [control]
class Outbox {
 public:
    /// Bytes to write at which no further answers are made.
    static constexpr std::size_t kRoomBytes = std::size_t{1} << 20U;
    /// Bytes of events that a client may leave unread beyond what the system's socket buffers hold.
    static constexpr std::size_t kEventLimitBytes = std::size_t{8} << 20U;
    /// What is left unread while events and answers take turns: each turn is a chunk, and takes memory of its own.
    static constexpr std::size_t kEventLimitChunks = 8192;

    /// Telemetry that may wait: so many events, or (one apart) so many bytes of them.
    static constexpr std::size_t kTelemetryEvents = 256;
    static constexpr std::size_t kTelemetryBytes = std::size_t{4} << 20U;

    /// A run of whole frames. Those of events are in other outboxes too.
    class Chunk {
     public:
        [[nodiscard]] std::string_view bytes() const { return shared_ ? shared_.bytes() : own_; }

     private:
        friend class Outbox;
        std::string own_;
        SharedFrame shared_;
        bool telemetry_ = false;
    };

    /// Precondition: the message fits into a frame.
    void push_response(const v1::ServerMessage& message);
    /// False: the limit of events is exceeded, and this one is not in. An event always goes into an outbox without any.
    [[nodiscard]] bool push_event(const SharedFrame& frame);

    /// Drops the oldest where there are too many.
    void push_telemetry(const SharedTelemetry& event);
    /// Events of telemetry that were dropped so far.
    [[nodiscard]] std::uint64_t telemetry_dropped() const { return telemetry_dropped_; }

    /// Answers may be made.
    [[nodiscard]] bool has_room() const { return unsent_ < kRoomBytes; }
    /// Nothing to take; what was taken may still be on its way.
    [[nodiscard]] bool empty() const { return chunks_.empty() && telemetry_.empty(); }
    /// Bytes not yet reported by sent(), without telemetry.
    [[nodiscard]] std::size_t unsent_bytes() const { return unsent_; }

    /// The next chunks to write, about as many bytes as `wanted` (at least one chunk).
    [[nodiscard]] std::vector<Chunk> take(std::size_t wanted);
    /// These have been written.
    void sent(const std::vector<Chunk>& chunks);

 private:
    struct Telemetry {
        SharedTelemetry event;
        std::uint64_t number;
    };
    std::string& open_chunk();
    void drop_oldest();
    void take_telemetry(std::string& into);

    std::deque<Chunk> chunks_;
    std::size_t unsent_ = 0;
    std::size_t unsent_events_ = 0;
    std::deque<Telemetry> telemetry_;
    std::size_t telemetry_bytes_ = 0;
    std::uint64_t telemetry_made_ = 0;
    std::uint64_t telemetry_dropped_ = 0;
};

}  // namespace rta::api
