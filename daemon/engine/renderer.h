// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dsp/ramp.h"
#include "engine/frame_clock.h"
#include "engine/messages.h"
#include "graph/level_tap.h"
#include "graph/processor.h"
#include "plan/compiled_graph.h"
#include "rt/audio_thread.h"

namespace rta {

/// The audio half of the engine: applies commands, runs the plan, and returns replaced plans and batches.
class Renderer {
 public:
    /// Device channels whose level is measured: the maximum of a device.
    static constexpr std::uint32_t kMeteredChannels = 256;

    /// [control] `returns` must have room for everything that can be outstanding at the same time; PlanExchange ensures
    /// it. Once a block has applied `targets_per_block` parameter targets, further commands wait for the next one.
    Renderer(double sample_rate_hz, std::uint32_t block_size, std::size_t targets_per_block, CommandReceiver commands,
             CommandReceiver scheduled, EventSender returns, EventSender telemetry);

    /// [audio] Renders one block. The views of `device` hold block_size frames. Outputs are overwritten; they never
    /// contain NaN or infinity.
    void render(const AudioThreadKey& key, const DeviceBlock& device) RTA_NONBLOCKING;

    /// [audio] Reports the start of a device callback; see FrameClock::begin_callback().
    void begin_callback(const AudioThreadKey&, const FrameClock::Callback& callback) RTA_NONBLOCKING {
        clock_.begin_callback(callback);
    }
    /// [any] Relates the engine's clock to the monotonic clock.
    [[nodiscard]] const FrameClock& clock() const RTA_NONBLOCKING { return clock_; }

    /// [audio] The first step of render(): applies the commands that have arrived. Adopting a plan replaces a pointer, and
    /// starts the ramps to its parameter targets. Public so that benchmarks can measure it alone.
    void apply_commands(const AudioThreadKey& key) RTA_NONBLOCKING;

    /// [control] Tap of the device outputs. Enable it after the taps of the nodes and take its records first: each of
    /// its records is sent after those of the nodes for the same frames.
    [[nodiscard]] LevelTap& output_levels() { return output_levels_; }

    /// [control] Starts or stops timing nodes from one of the next blocks on; see NodeInstance::time().
    void time_nodes(bool timed) noexcept { nodes_timed_.store(timed, std::memory_order_relaxed); }

    /// [any] Returns the number of frames rendered so far: the engine's clock.
    [[nodiscard]] std::uint64_t frames() const RTA_NONBLOCKING {
        return published_frame_.load(std::memory_order_acquire);
    }
    /// [any] Returns the block size in frames.
    [[nodiscard]] std::uint32_t block_size() const RTA_NONBLOCKING { return block_size_; }
    /// [any] Returns the number of telemetry events lost because their ring was full.
    [[nodiscard]] std::uint64_t telemetry_dropped() const RTA_NONBLOCKING {
        return telemetry_dropped_.load(std::memory_order_relaxed);
    }

 private:
    void apply_unscheduled(const AudioThreadKey& key) RTA_NONBLOCKING;
    void apply_scheduled(const AudioThreadKey& key) RTA_NONBLOCKING;
    void apply(const AudioThreadKey& key, const Command& command) RTA_NONBLOCKING;
    void apply_target(const AudioThreadKey& key, const ParameterTarget& target,
                      std::uint64_t start_frame) RTA_NONBLOCKING;
    void apply_batch(const AudioThreadKey& key, std::span<const ParameterTarget> targets,
                     std::uint64_t start_frame) RTA_NONBLOCKING;
    void send_applied(const AudioThreadKey& key, Event::Kind kind, std::uint64_t serial) RTA_NONBLOCKING;
    void send_return(const AudioThreadKey& key, const Event& event) RTA_NONBLOCKING;
    void apply_device_gain(const DeviceBlock& device) RTA_NONBLOCKING;
    /// Returns whether all muted nodes have been reported.
    [[nodiscard]] bool report_faults(const AudioThreadKey& key) RTA_NONBLOCKING;

    std::uint32_t block_size_;
    std::size_t targets_per_block_;
    CommandReceiver commands_;
    CommandReceiver scheduled_;
    EventSender returns_;
    EventSender telemetry_;
    CompiledGraph* plan_ = nullptr;
    std::size_t targets_left_ = 0;      ///< that this block may apply
    std::uint64_t frame_ = 0;           ///< first frame of the next block
    std::uint64_t applied_serial_ = 0;  ///< of the commands without a frame
    std::optional<Command> held_;       ///< the next scheduled command: its frame has not come
    bool find_faults_ = false;          ///< the last block was not finite: find the faulty node
    Crossfade crossfade_;
    dsp::Ramp device_gain_{1.0F};
    std::vector<float> gains_;  ///< one block
    LevelTap output_levels_;
    std::atomic<bool> nodes_timed_{false};  ///< relaxed: orders no other data
    std::atomic<std::uint64_t> published_frame_{0};
    std::atomic<std::uint64_t> telemetry_dropped_{0};
    FrameClock clock_;
};

}  // namespace rta
