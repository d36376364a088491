// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "dsp/ramp.h"
#include "engine/messages.h"
#include "graph/level_tap.h"
#include "graph/processor.h"
#include "plan/compiled_graph.h"
#include "rt/audio_thread.h"

namespace rta {

/// The audio half of the engine: applies the commands, runs the plan, hands back what was replaced.
class Renderer {
 public:
    /// Channels of the device whose level is measured: as many as a device may have.
    static constexpr std::uint32_t kMeteredChannels = 256;

    /// [control] `returns` has room for everything that can be outstanding at once: the Engine sees to that.
    Renderer(double sample_rate_hz, std::uint32_t block_size, CommandReceiver commands, EventSender returns,
             EventSender telemetry);

    /// [audio] Renders exactly one block. `device` views hold block_size frames; its outputs are overwritten, and never
    /// hold NaN or infinity.
    void render(const AudioThreadKey& key, const DeviceBlock& device) RTA_NONBLOCKING;

    /// [audio] The first half of render(): takes in the commands that have arrived. Adopting a plan exchanges a
    /// pointer; nothing is walked. Public so that it can be measured alone.
    void apply_commands(const AudioThreadKey& key) RTA_NONBLOCKING;

    /// [control] What goes to the device. Enable those of the nodes first, and take it first: each of its records comes
    /// after the nodes' records of the same frames.
    [[nodiscard]] LevelTap& output_levels() { return output_levels_; }

    /// [control] Begins or ends timing nodes, from one of the next blocks on; see NodeInstance::time().
    void time_nodes(bool timed) noexcept { nodes_timed_.store(timed, std::memory_order_relaxed); }

    /// [any] Frames rendered so far: the engine's clock.
    [[nodiscard]] std::uint64_t frames() const RTA_NONBLOCKING {
        return published_frame_.load(std::memory_order_acquire);
    }
    /// [any]
    [[nodiscard]] std::uint32_t block_size() const RTA_NONBLOCKING { return block_size_; }
    /// [any] Telemetry events that found their ring full.
    [[nodiscard]] std::uint64_t telemetry_dropped() const RTA_NONBLOCKING {
        return telemetry_dropped_.load(std::memory_order_relaxed);
    }

 private:
    /// What is to be done with the commands behind this one.
    enum class Next : std::uint8_t { go_on, render_first };

    [[nodiscard]] Next apply(const AudioThreadKey& key, const Command& command) RTA_NONBLOCKING;
    void hand_back(const AudioThreadKey& key, const Event& event) RTA_NONBLOCKING;
    void apply_device_gain(const DeviceBlock& device) RTA_NONBLOCKING;
    /// True if every sample was finite; otherwise the block is silenced.
    [[nodiscard]] bool guard_outputs(const DeviceBlock& device) RTA_NONBLOCKING;
    /// True if every muted node is reported.
    [[nodiscard]] bool report_faults(const AudioThreadKey& key) RTA_NONBLOCKING;

    std::uint32_t block_size_;
    CommandReceiver commands_;
    EventSender returns_;
    EventSender telemetry_;
    CompiledGraph* plan_ = nullptr;
    std::uint64_t frame_ = 0;  ///< at which the next block begins
    bool hunting_ = false;     ///< a block was not finite: look for the node at fault
    dsp::Ramp device_gain_{1.0F};
    std::vector<float> gains_;  ///< one block
    LevelTap output_levels_;
    std::atomic<bool> nodes_timed_{false};  ///< relaxed: nothing else is ordered by it
    std::atomic<std::uint64_t> published_frame_{0};
    std::atomic<std::uint64_t> telemetry_dropped_{0};
};

}  // namespace rta
