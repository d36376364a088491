// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "dsp/audio_buffer.h"
#include "engine/renderer.h"
#include "io/clocks.h"
#include "io/load_meter.h"
#include "io/output_fade.h"
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

/// Returns one pointer per channel of a view, as BlockAdapter::process() takes them. [control]
template <class View>
[[nodiscard]] auto channel_pointers(const View& view) {
    std::vector<decltype(view.channel(0).data())> pointers;
    for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel) {
        pointers.push_back(view.channel(channel).data());
    }
    return pointers;
}

/// Adapts device callbacks of any length to the Renderer, which needs blocks of exactly block_size frames.
///
/// While every callback is a multiple of the block size, the renderer works directly in the device's buffers, without
/// added latency. The first callback that is not a multiple switches permanently to a delay of one block: input is
/// collected until a block is full, while the previous block is played. The switch leaves a gap of one block, which the
/// adapter fills by extending the waveform (mirrored about the last sample, so that neither value nor slope jumps),
/// fading the extension out and the new audio in.
///
/// One adapter serves one device. It claims the engine's gate for every callback with the generation that it was
/// granted. Once the engine has been given to another device, it plays silence; before that, one that was faded in ends
/// its output in the same way as at the switch.
class BlockAdapter {
 public:
    /// Never granted: the gate counts from 1.
    static constexpr AudioThreadGate::Generation kNoGeneration =
        std::numeric_limits<AudioThreadGate::Generation>::max();
    /// Minimum length of the fades around the switch, in seconds; rounded up to a power of two of frames.
    static constexpr double kFadeSeconds = 0.005;

    /// `gate` and `renderer` must outlive every callback. Plays silence until grant(). [control]
    BlockAdapter(AudioThreadGate& gate, Renderer& renderer, std::uint32_t sample_rate_hz, std::uint32_t channels_in,
                 std::uint32_t channels_out);
    BlockAdapter(const BlockAdapter&) = delete;
    BlockAdapter& operator=(const BlockAdapter&) = delete;
    ~BlockAdapter() = default;

    /// How the output of a device begins.
    enum class Entrance : std::uint8_t {
        exact,     ///< with the first frame, as a recording needs it
        faded_in,  ///< from silence, as people who hear it need it
    };

    /// Gives the engine to this device until the gate starts a later generation. [control]
    void grant(AudioThreadGate::Generation generation, Entrance entrance = Entrance::exact) noexcept;
    /// Fades the output out, before the engine is given to another device. [control]
    void fade_out() noexcept { fade_.fade_out(); }
    /// Returns true once fade_out() has reached silence. [control]
    [[nodiscard]] bool silent() const noexcept { return fade_.silent(); }

    /// Sets how late a callback may be without a dropout: the duration that the device buffers. Initially 0. [any]
    void tolerate_lateness(double output_latency_s) noexcept {
        tolerance_ns_.store(static_cast<std::int64_t>(output_latency_s * 1e9), std::memory_order_relaxed);
    }

    /// Serves one device callback. `inputs` and `outputs` point to one array of `frames` samples for each channel of
    /// the device; `inputs` may be nullptr, which means silence. Writes every output sample. `reported` holds the
    /// driver's flags for this callback. [audio]
    void process(const float* const* inputs, float* const* outputs, std::uint32_t frames,
                 const DriverFlags& reported = {}) RTA_NONBLOCKING;

    [[nodiscard]] std::uint32_t channels_in() const noexcept { return gathered_.channel_count(); }
    [[nodiscard]] std::uint32_t channels_out() const noexcept { return playing_.channel_count(); }
    /// [any]
    [[nodiscard]] std::uint32_t block_size() const RTA_NONBLOCKING { return block_size_; }

    // Values for the control thread. Each is valid on its own; together they may be from different callbacks. [any]
    [[nodiscard]] std::uint64_t callbacks() const noexcept { return callbacks_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_.load(std::memory_order_relaxed); }
    /// Frames of the latest callback.
    [[nodiscard]] std::uint32_t callback_frames() const noexcept {
        return callback_frames_.load(std::memory_order_relaxed);
    }
    /// 0, or the block size after a callback that was not a multiple of it.
    [[nodiscard]] std::uint32_t latency_frames() const noexcept {
        return latency_frames_.load(std::memory_order_relaxed);
    }
    /// Length of the fades around the switch, in frames: unmodified output starts latency_frames() + fade_frames()
    /// after the switch.
    [[nodiscard]] std::uint32_t fade_frames() const noexcept { return fade_frames_; }
    /// Kernel's id of the thread that makes the callbacks; 0 before the first one.
    [[nodiscard]] pid_t thread_id() const noexcept { return thread_id_.load(std::memory_order_relaxed); }
    [[nodiscard]] XrunCounts xrun_counts() const noexcept;
    /// Callbacks for which the driver reported an underflow or overflow.
    [[nodiscard]] std::uint64_t reported_xruns() const noexcept {
        return reported_xruns_.load(std::memory_order_relaxed);
    }
    /// The engine's clock at the latest xrun; 0 before the first.
    [[nodiscard]] std::uint64_t xrun_frame() const noexcept { return xrun_frame_.load(std::memory_order_relaxed); }
    /// Durations of the callbacks. [control]
    [[nodiscard]] LoadMeter& load_meter() noexcept { return load_meter_; }

 private:
    void render(const float* const* inputs, float* const* outputs, std::uint32_t frames,
                std::int64_t start_ns) RTA_NONBLOCKING;
    void count_xruns(const DriverFlags& reported, bool late, bool overrun) RTA_NONBLOCKING;
    void prepare_thread() RTA_NONBLOCKING;
    void end_output(float* const* outputs, std::uint32_t frames) RTA_NONBLOCKING;
    void begin_again() RTA_NONBLOCKING;
    void process_direct(const AudioThreadKey& key, const float* const* inputs, float* const* outputs,
                        std::uint32_t frames) RTA_NONBLOCKING;
    void process_delayed(const AudioThreadKey& key, const float* const* inputs, float* const* outputs,
                         std::uint32_t frames) RTA_NONBLOCKING;
    void remember(const AudioReadView& block) RTA_NONBLOCKING;
    void measure_peaks() RTA_NONBLOCKING;
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
    AudioBuffer gathered_;                    ///< input of the incomplete block
    AudioBuffer playing_;                     ///< output of the previous block
    AudioBuffer silent_input_;                ///< one channel
    AudioBuffer history_;                     ///< ring of the last fade_frames_ frames rendered, except during a switch
    std::vector<const float*> block_inputs_;  ///< into the device's buffers
    std::vector<float*> block_outputs_;
    std::vector<float> peaks_;  ///< peak of history_, per channel
    LatenessClock lateness_;
    OutputFade fade_;
    std::uint32_t history_end_ = 0;
    std::uint32_t position_ = 0;  ///< frames gathered, and frames of playing_ already played
    std::uint32_t faded_ = 0;     ///< frames since the switch, up to the end of the fades
    std::uint32_t ended_ = 0;     ///< frames since the engine was given to another device, up to the end of the fade
    bool delayed_ = false;
    bool extends_ = false;         ///< at the end; set before the first grant
    bool rendered_ = false;        ///< at least one block
    bool starts_unfaded_ = false;  ///< the switch preceded the first rendered block
    bool thread_prepared_ = false;

    // relaxed throughout: counters for display; nothing else is ordered by them.
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
