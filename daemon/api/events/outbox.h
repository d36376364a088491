// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/events/node_filter.h"
#include "api/events/shared_frame.h"
#include "api/limits.h"

namespace rta::v1 {
class ServerMessage;
}

namespace rta::api {

/// A serialised v1::Event of telemetry, without its numbers, shared by several outboxes.
using SharedTelemetry = std::shared_ptr<const std::string>;

/// The messages to be written to one client, in order. [control]
///
/// Responses are bounded by the caller, which starts none while has_room() is false. Events about changes have a
/// separate limit; beyond it the client has to be disconnected, because they are never dropped. Telemetry has a
/// separate queue, from which the oldest events are dropped and counted. It is sent after everything else and numbered
/// only then, so that a slow client learns how much is missing.
class Outbox {
 public:
    /// Chunks that a client may leave unread: if events and responses alternate, each chunk is allocated separately.
    static constexpr std::size_t kEventLimitChunks = 8192;

    /// Telemetry events that may be queued, whatever their size.
    static constexpr std::size_t kTelemetryEvents = 256;

    explicit Outbox(const OutboxLimits& limits = {}) : limits_{limits} {}

    /// A run of complete frames.
    struct Chunk {
        [[nodiscard]] std::string_view bytes() const { return shared ? shared.bytes() : own; }

        std::string own{};
        SharedFrame shared{};  ///< frames of events; `own` is empty then
        bool telemetry = false;
    };

    /// Precondition: the message fits into a frame.
    void push_response(const v1::ServerMessage& message);
    /// The same for a message that is already a frame.
    void push_response(std::string&& frame);
    /// Returns false, without adding the event, if that exceeds the limit of events. An outbox without events takes any
    /// event.
    [[nodiscard]] bool push_event(const SharedFrame& frame);

    /// Sets which nodes' telemetry is sent, from the next event on that is taken; null: that of all.
    void filter_telemetry(std::shared_ptr<const NodeFilter> filter) { filter_ = std::move(filter); }
    /// Drops the oldest events beyond the limit.
    void push_telemetry(const SharedTelemetry& event);
    /// Returns the number of telemetry events dropped so far.
    [[nodiscard]] std::uint64_t telemetry_dropped() const { return telemetry_dropped_; }

    /// Returns whether responses may be created.
    [[nodiscard]] bool has_room() const { return unsent_ < limits_.response_bytes; }
    /// Returns whether there is nothing to take; chunks taken before may still be unsent.
    [[nodiscard]] bool empty() const { return chunks_.empty() && telemetry_.empty(); }
    /// Returns the bytes not yet reported by sent(), without telemetry.
    [[nodiscard]] std::size_t unsent_bytes() const { return unsent_; }

    /// Returns the bytes of events about changes not yet reported by sent().
    [[nodiscard]] std::size_t unsent_event_bytes() const { return unsent_events_; }

    /// Removes the next chunks to write: at least one, and no more once they have `wanted` bytes.
    [[nodiscard]] std::vector<Chunk> take(std::size_t wanted);
    /// Must be called when these chunks have been written.
    void sent(const std::vector<Chunk>& chunks);

 private:
    struct Telemetry {
        SharedTelemetry event;
        std::uint64_t number;
    };
    std::string& open_chunk();
    void drop_oldest();
    std::size_t take_telemetry(std::string& into);

    const OutboxLimits limits_;
    std::deque<Chunk> chunks_;
    std::size_t unsent_ = 0;
    std::size_t unsent_events_ = 0;
    std::deque<Telemetry> telemetry_;
    std::size_t telemetry_bytes_ = 0;
    std::uint64_t telemetry_made_ = 0;
    std::uint64_t telemetry_dropped_ = 0;
    std::shared_ptr<const NodeFilter> filter_;
};

}  // namespace rta::api
