// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "dsp/audio_buffer.h"
#include "engine/renderer.h"
#include "io/lateness_clock.h"
#include "io/load_meter.h"
#include "rt/annotations.h"
#include "rt/audio_thread.h"
#include "rt/cache_line.h"
#include "status/status.h"

namespace rta::io {

/// Underflows and overflows that a driver reports about one callback; several may be set.
struct DriverFlags {
    bool input_underflow = false;   ///< no input was available
    bool input_overflow = false;    ///< input was discarded
    bool output_underflow = false;  ///< nothing was available to play
    bool output_overflow = false;   ///< output was discarded

    [[nodiscard]] bool any() const noexcept {
        return input_underflow || input_overflow || output_underflow || output_overflow;
    }
};

/// Makes the Renderer's blocks of exactly block_size frames out of device callbacks of any length.
///
/// While every callback is a multiple of the block, the renderer works straight in the device's buffers and nothing is
/// delayed. The first callback that is not switches, for good, to a delay of one block: input is gathered until a block
/// is full, and what is played is the block before. Then one block of sound is missing; the adapter bridges it by
/// carrying the waveform on (its mirror image about the last sample, so neither value nor slope jumps) while it fades
/// that out and what follows in.
///
/// One adapter serves one device. It claims the engine's gate for every callback with the generation it was granted;
/// refused, it plays silence and leaves everything else alone.
class BlockAdapter {
 public:
    /// Never granted: the gate counts from 1.
    static constexpr AudioThreadGate::Generation kNoGeneration =
        std::numeric_limits<AudioThreadGate::Generation>::max();
    /// Least length of the fades around the switch, in seconds; they are rounded up to a power of two of frames.
    static constexpr double kFadeSeconds = 0.005;

    /// `gate` and `renderer` must outlive every callback. Plays silence until grant(). [control]
    BlockAdapter(AudioThreadGate& gate, Renderer& renderer, std::uint32_t sample_rate_hz, std::uint32_t channels_in,
                 std::uint32_t channels_out);
    BlockAdapter(const BlockAdapter&) = delete;
    BlockAdapter& operator=(const BlockAdapter&) = delete;
    ~BlockAdapter() = default;

    /// [any] From now on the engine is this device's, until the gate starts a later generation.
    void grant(AudioThreadGate::Generation generation) noexcept;

    /// [any] The device plays on for so long when a callback is late. 0 until then.
    void tolerate_lateness(double output_latency_s) noexcept {
        tolerance_ns_.store(static_cast<std::int64_t>(output_latency_s * 1e9), std::memory_order_relaxed);
    }

    /// [audio] One device callback. `inputs` and `outputs` point to as many channels as the device has, each of
    /// `frames` samples; `inputs` may be nullptr, which is silence. Every output sample is written.
    /// `said` is what the host says about this callback.
    void process(const float* const* inputs, float* const* outputs, std::uint32_t frames,
                 const DriverFlags& reported = {}) RTA_NONBLOCKING;

    [[nodiscard]] std::uint32_t channels_in() const noexcept { return gathered_.channel_count(); }
    [[nodiscard]] std::uint32_t channels_out() const noexcept { return playing_.channel_count(); }
    /// [any]
    [[nodiscard]] std::uint32_t block_size() const RTA_NONBLOCKING { return block_size_; }

    // What the control thread reads. Each number is good by itself; together they need not be of one callback. [any]
    [[nodiscard]] std::uint64_t callbacks() const noexcept { return callbacks_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_.load(std::memory_order_relaxed); }
    /// Of the latest callback.
    [[nodiscard]] std::uint32_t callback_frames() const noexcept {
        return callback_frames_.load(std::memory_order_relaxed);
    }
    /// 0, or the block size once a callback was no multiple of it.
    [[nodiscard]] std::uint32_t latency_frames() const noexcept {
        return latency_frames_.load(std::memory_order_relaxed);
    }
    /// Length of the fades around the switch, in frames: the first that sounds as rendered comes latency_frames() +
    /// fade_frames() after it.
    [[nodiscard]] std::uint32_t fade_frames() const noexcept { return fade_frames_; }
    /// Kernel's id of the thread that calls; 0 before the first callback.
    [[nodiscard]] pid_t thread_id() const noexcept { return thread_id_.load(std::memory_order_relaxed); }
    [[nodiscard]] XrunCounts xrun_counts() const noexcept;
    /// Callbacks for which the host said something.
    [[nodiscard]] std::uint64_t reported_xruns() const noexcept {
        return reported_xruns_.load(std::memory_order_relaxed);
    }
    /// The engine's clock at the latest of the xruns; 0 before the first.
    [[nodiscard]] std::uint64_t xrun_frame() const noexcept { return xrun_frame_.load(std::memory_order_relaxed); }
    /// [control] How long callbacks take.
    [[nodiscard]] LoadMeter& load_meter() noexcept { return load_meter_; }

 private:
    void render(const float* const* inputs, float* const* outputs, std::uint32_t frames) RTA_NONBLOCKING;
    void count_xruns(const DriverFlags& reported, bool late, bool overrun) RTA_NONBLOCKING;
    void meet_thread() RTA_NONBLOCKING;
    void silence(float* const* outputs, std::uint32_t frames) const RTA_NONBLOCKING;
    void process_direct(const AudioThreadKey& key, const float* const* inputs, float* const* outputs,
                        std::uint32_t frames) RTA_NONBLOCKING;
    void process_delayed(const AudioThreadKey& key, const float* const* inputs, float* const* outputs,
                         std::uint32_t frames) RTA_NONBLOCKING;
    void remember(const AudioWriteView& block) RTA_NONBLOCKING;
    void switch_to_delay() RTA_NONBLOCKING;
    void fade_block() RTA_NONBLOCKING;
    [[nodiscard]] float fading_out(std::uint32_t channel, std::uint32_t frame) const RTA_NONBLOCKING;
    [[nodiscard]] float fading_in(std::uint32_t frame) const RTA_NONBLOCKING;

    AudioThreadGate& gate_;
    Renderer& renderer_;
    const std::uint32_t block_size_;
    const std::uint32_t fade_frames_;  ///< a multiple of the block size
    const std::int64_t sample_rate_hz_;

    // Only the callback touches these.
    AudioBuffer gathered_;                    ///< input of the block that is filling up
    AudioBuffer playing_;                     ///< output of the block before it
    AudioBuffer silent_input_;                ///< one channel
    AudioBuffer history_;                     ///< ring of the last fade_frames_ frames played without delay
    std::vector<const float*> block_inputs_;  ///< into the device's buffers
    std::vector<float*> block_outputs_;
    std::vector<float> loudest_;  ///< of history_, a channel each
    LatenessClock lateness_;
    std::uint32_t history_end_ = 0;
    std::uint32_t position_ = 0;  ///< frames gathered, and frames of playing_ that were played
    std::uint32_t faded_ = 0;     ///< frames since the switch, up to the end of the fades
    bool delayed_ = false;
    bool starts_unfaded_ = false;  ///< the switch came before the engine had rendered anything
    bool thread_met_ = false;

    // relaxed throughout: counters for people, nothing else is ordered by them.
    alignas(kCacheLine) std::atomic<std::uint64_t> callbacks_{0};
    std::atomic<std::uint64_t> frames_{0};
    std::atomic<std::uint32_t> callback_frames_{0};
    std::atomic<std::uint32_t> latency_frames_{0};
    std::atomic<pid_t> thread_id_{0};
    std::atomic<std::uint64_t> input_underflows_{0};
    std::atomic<std::uint64_t> input_overflows_{0};
    std::atomic<std::uint64_t> output_underflows_{0};
    std::atomic<std::uint64_t> output_overflows_{0};
    std::atomic<std::uint64_t> late_callbacks_{0};
    std::atomic<std::uint64_t> overruns_{0};
    std::atomic<std::uint64_t> reported_xruns_{0};
    std::atomic<std::uint64_t> xrun_frame_{0};
    std::atomic<std::int64_t> tolerance_ns_{0};
    LoadMeter load_meter_;
    alignas(kCacheLine) std::atomic<AudioThreadGate::Generation> generation_{kNoGeneration};
};

}  // namespace rta::io
