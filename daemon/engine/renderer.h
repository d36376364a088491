// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "dsp/ramp.h"
#include "engine/messages.h"
#include "graph/compiled_graph.h"
#include "graph/processor.h"
#include "rt/audio_thread.h"

namespace rta {

/// The audio half of the engine: drains the commands, runs the plan, hands back what was replaced.
class Renderer {
 public:
    Renderer(std::uint32_t block_size, CommandReceiver commands, EventSender returns, EventSender telemetry);

    /// [audio] Renders exactly one block. `device` views hold block_size frames; its outputs are overwritten.
    void render(const AudioThreadKey& key, const DeviceBlock& device) RTA_NONBLOCKING;

    /// [any] Frames rendered so far: the engine's clock.
    [[nodiscard]] std::uint64_t frames() const RTA_NONBLOCKING { return published_frame_.load(std::memory_order_acquire); }
    /// [any]
    [[nodiscard]] std::uint32_t block_size() const RTA_NONBLOCKING { return block_size_; }
    /// [any] Telemetry events lost because their ring was full.
    [[nodiscard]] std::uint64_t telemetry_dropped() const RTA_NONBLOCKING {
        return telemetry_dropped_.load(std::memory_order_relaxed);
    }

 private:
    void drain_commands(const AudioThreadKey& key) RTA_NONBLOCKING;
    void render_plan(const AudioThreadKey& key, const DeviceBlock& device) RTA_NONBLOCKING;
    void guard_device_output(const DeviceBlock& device) RTA_NONBLOCKING;

    std::uint32_t block_size_;
    CommandReceiver commands_;
    EventSender returns_;
    EventSender telemetry_;
    CompiledGraph* plan_ = nullptr;
    std::uint64_t frame_ = 0;  ///< of the block to render next
    dsp::Ramp device_gain_{1.0F};
    std::atomic<std::uint64_t> published_frame_{0};
    std::atomic<std::uint64_t> telemetry_dropped_{0};
};

}  // namespace rta
