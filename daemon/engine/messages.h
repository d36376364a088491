// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "plan/compiled_graph.h"
#include "rt/audio_thread.h"
#include "rt/spsc_ring.h"

namespace rta {

/// Parameter changes that take effect in the same block. Borrowed by the audio thread.
struct ParameterBatch {
    std::vector<ParameterTarget> targets;
};

/// A message from the Engine to the Renderer. Pointers are borrowed: the Engine keeps the object alive until the
/// Renderer has returned it.
struct Command {
    enum class Kind : std::uint8_t { adopt_plan, set_parameter, apply_batch, fade_device, nothing };

    struct DeviceFade {
        float gain;
        std::uint32_t length_frames;
        /// It starts this many frames after the command is applied, but not before `not_before_frame`.
        std::uint32_t wait_frames;
        std::uint64_t not_before_frame;

        [[nodiscard]] std::uint64_t start_frame(std::uint64_t applied_at) const RTA_NONBLOCKING {
            return std::max(applied_at + wait_frames, not_before_frame);
        }
        /// Nothing has been heard before the first block, so nothing fades there.
        [[nodiscard]] std::uint32_t frames(std::uint64_t applied_at) const RTA_NONBLOCKING {
            return start_frame(applied_at) == 0 ? 0 : length_frames;
        }
    };

    Kind kind;
    /// Parameter targets of the plan, batch or parameter. Stored here so that a plan without targets is not read when it
    /// is adopted.
    std::uint32_t target_count;
    std::uint64_t serial;  ///< +1 with every command
    /// Scheduled commands: parameters start to move at this frame, a plan is adopted in the block that holds it.
    std::uint64_t start_frame;
    /// Scheduled plans: the last command without a frame that was sent before. It must be applied first.
    std::uint64_t after_serial;
    union {
        CompiledGraph* plan;        ///< adopt_plan
        ParameterTarget parameter;  ///< set_parameter
        ParameterBatch* batch;      ///< apply_batch
        DeviceFade fade;            ///< fade_device
    };
};

/// A message from the Renderer to the Engine.
struct Event {
    enum class Kind : std::uint8_t { plan_returned, batch_returned, applied, scheduled_applied, node_faulted };

    struct Applied {
        std::uint64_t serial;  ///< of the last command applied in the block
        std::uint64_t frame;   ///< first frame of the block
    };
    struct NodeFault {
        NodeId node;
        std::uint64_t frame;
    };

    Kind kind;
    union {
        CompiledGraph* plan;    ///< plan_returned
        ParameterBatch* batch;  ///< batch_returned
        Applied applied;        ///< applied; scheduled_applied: of this command only
        NodeFault fault;        ///< node_faulted
    };
};

// Rings require trivially copyable elements; a message should fit in one cache line.
static_assert(std::is_trivially_copyable_v<Command> && sizeof(Command) <= 64);
static_assert(std::is_trivially_copyable_v<Event> && sizeof(Event) <= 64);

/// Sending end of the command ring, owned by the control thread. Move-only. [control]
class CommandSender {
 public:
    explicit CommandSender(RingSender<Command> ring) : ring_{std::move(ring)} {}
    [[nodiscard]] bool try_send(const Command& command) { return ring_.try_push(command); }

 private:
    RingSender<Command> ring_;
};

/// Receiving end of the command ring. Requires the pass-key of the audio thread. Move-only. [audio]
class CommandReceiver {
 public:
    explicit CommandReceiver(RingReceiver<Command> ring) : ring_{std::move(ring)} {}
    [[nodiscard]] std::optional<Command> try_receive(const AudioThreadKey&) RTA_NONBLOCKING { return ring_.try_pop(); }

 private:
    RingReceiver<Command> ring_;
};

/// Sending end of an event ring. Requires the pass-key of the audio thread. Move-only. [audio]
class EventSender {
 public:
    explicit EventSender(RingSender<Event> ring) : ring_{std::move(ring)} {}
    [[nodiscard]] bool try_send(const AudioThreadKey&, const Event& event) RTA_NONBLOCKING {
        return ring_.try_push(event);
    }

 private:
    RingSender<Event> ring_;
};

/// Receiving end of an event ring, owned by the control thread. Move-only. [control]
class EventReceiver {
 public:
    explicit EventReceiver(RingReceiver<Event> ring) : ring_{std::move(ring)} {}
    [[nodiscard]] std::optional<Event> try_receive() { return ring_.try_pop(); }

 private:
    RingReceiver<Event> ring_;
};

}  // namespace rta
