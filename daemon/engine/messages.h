// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "plan/compiled_graph.h"
#include "rt/audio_thread.h"
#include "rt/spsc_ring.h"

namespace rta {

/// Parameter changes that belong together: borrowed by the audio thread, seen in one block or not at all.
struct ParameterBatch {
    std::vector<ParameterTarget> targets;
};

/// From the Engine to the Renderer. Pointers are borrowed: the Engine keeps what they point to alive until the Renderer
/// has handed it back.
struct Command {
    enum class Kind : std::uint8_t { adopt_plan, set_parameter, apply_batch, fade_device, nothing };

    struct DeviceFade {
        float gain;
        std::uint32_t length_frames;
        Silence wait;  ///< the fade begins behind it
    };

    Kind kind;
    /// adopt_plan: the plan has parameter targets, which take effect while it is rendered; a plan behind it must not
    /// replace it before that. Told here, so that adopting a plan reads nothing of it.
    bool render_first;
    std::uint64_t serial;  ///< +1 with every command
    union {
        CompiledGraph* plan;        ///< adopt_plan
        ParameterTarget parameter;  ///< set_parameter
        ParameterBatch* batch;      ///< apply_batch
        DeviceFade fade;            ///< fade_device
    };
};

/// From the Renderer to the Engine.
struct Event {
    enum class Kind : std::uint8_t { plan_returned, batch_returned, applied, node_faulted };

    struct Applied {
        std::uint64_t serial;  ///< of the last command of the block
        std::uint64_t frame;   ///< at which the block begins
    };
    struct NodeFault {
        NodeId node;
        std::uint64_t frame;
    };

    Kind kind;
    union {
        CompiledGraph* plan;    ///< plan_returned
        ParameterBatch* batch;  ///< batch_returned
        Applied applied;        ///< applied
        NodeFault fault;        ///< node_faulted
    };
};

// What the rings ask for, and what keeps a message to one cache line.
static_assert(std::is_trivially_copyable_v<Command> && sizeof(Command) <= 64);
static_assert(std::is_trivially_copyable_v<Event> && sizeof(Event) <= 64);

/// The control thread's end of the command ring. Move-only. [control]
class CommandSender {
 public:
    explicit CommandSender(RingSender<Command> ring) : ring_{std::move(ring)} {}
    [[nodiscard]] bool try_send(const Command& command) { return ring_.try_push(command); }
    /// All or none.
    [[nodiscard]] bool try_send(std::span<const Command> commands) { return ring_.try_push_batch(commands); }

 private:
    RingSender<Command> ring_;
};

/// The audio thread's end of the command ring: of use only to who holds the pass-key. Move-only.
class CommandReceiver {
 public:
    explicit CommandReceiver(RingReceiver<Command> ring) : ring_{std::move(ring)} {}
    [[nodiscard]] std::optional<Command> try_receive(const AudioThreadKey&) RTA_NONBLOCKING { return ring_.try_pop(); }

 private:
    RingReceiver<Command> ring_;
};

/// The audio thread's end of an event ring: of use only to who holds the pass-key. Move-only.
class EventSender {
 public:
    explicit EventSender(RingSender<Event> ring) : ring_{std::move(ring)} {}
    [[nodiscard]] bool try_send(const AudioThreadKey&, const Event& event) RTA_NONBLOCKING {
        return ring_.try_push(event);
    }

 private:
    RingSender<Event> ring_;
};

/// The control thread's end of an event ring. Move-only. [control]
class EventReceiver {
 public:
    explicit EventReceiver(RingReceiver<Event> ring) : ring_{std::move(ring)} {}
    [[nodiscard]] std::optional<Event> try_receive() { return ring_.try_pop(); }

 private:
    RingReceiver<Event> ring_;
};

}  // namespace rta
