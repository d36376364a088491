// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rta::v1 {
class ServerMessage;
}

namespace rta::api {

/// A frame that several outboxes hold at once, length included.
using SharedFrame = std::shared_ptr<const std::string>;

/// What a connection has still to write, in order. Answers are bounded by whoever makes them: none is begun while
/// there is no room. Events come unasked, so they have a limit of their own; beyond it the client is given up, because
/// a change is never dropped. [control]
class Outbox {
 public:
    /// Bytes to write at which no further answers are made.
    static constexpr std::size_t kRoomBytes = std::size_t{1} << 20U;
    /// Bytes of events that a client may leave unread beyond what the system's socket buffers hold.
    static constexpr std::size_t kEventLimitBytes = std::size_t{8} << 20U;

    /// A run of whole frames, of which `shared` ones may be in other outboxes too.
    class Chunk {
     public:
        [[nodiscard]] std::string_view bytes() const { return shared_ != nullptr ? *shared_ : own_; }

     private:
        friend class Outbox;
        std::string own_;
        SharedFrame shared_;
        std::size_t event_bytes_ = 0;
    };

    /// Precondition: the message fits into a frame.
    void push_response(const v1::ServerMessage& message);
    /// False: the limit of events is exceeded, and this one is not in. An event always goes into an outbox without any.
    [[nodiscard]] bool push_event(const SharedFrame& frame);

    /// Answers may be made.
    [[nodiscard]] bool has_room() const { return unsent_ < kRoomBytes; }
    /// Nothing to take; what was taken may still be on its way.
    [[nodiscard]] bool empty() const { return chunks_.empty(); }
    /// Bytes not yet reported by sent().
    [[nodiscard]] std::size_t unsent_bytes() const { return unsent_; }

    /// The next chunks to write, about as many bytes as `wanted` (at least one chunk).
    [[nodiscard]] std::vector<Chunk> take(std::size_t wanted);
    /// These have been written.
    void sent(const std::vector<Chunk>& chunks);

 private:
    std::string& open_chunk();

    std::deque<Chunk> chunks_;
    std::size_t unsent_ = 0;
    std::size_t unsent_events_ = 0;
};

}  // namespace rta::api
