// SPDX-License-Identifier: MIT
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/audio_view.h"
#include "dsp/block_value.h"
#include "dsp/delay_tap.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Delay with feedback, equal for all channels:
///
///     line[n] = in[n] + feedback * line[n - max(delay, 1)],   out[n] = (1 - mix) * in[n] + mix * line[n - delay]
///
/// When the delay changes, the output crossfades from the old position in the line to the new one in fade_frames(),
/// without a click or a change of pitch. A delay set during a crossfade takes effect after it; of several, the last.
class DelayLine {
 public:
    /// Allocates and pre-faults all memory. [control]
    DelayLine(double sample_rate_hz, double maximum_ms, std::uint32_t channel_count, std::uint32_t block_size);

    /// Processes one block of all channels. `out` may be `in`. [audio]
    ///
    /// `time_ms`: 0 to the maximum; a time that is a whole number of frames within float precision is rounded to it.
    /// `feedback`: greater than -1 and less than 1.
    void process(const AudioReadView& in, const AudioWriteView& out, float time_ms, BlockValue feedback,
                 BlockValue mix) RTA_NONBLOCKING;

    /// Returns the length of a crossfade: 20 ms, rounded to a multiple of kKernelFrames. A crossfade may end anywhere
    /// in a block; the next one starts there. [any]
    [[nodiscard]] std::uint32_t fade_frames() const RTA_NONBLOCKING { return fade_frames_; }

    /// Returns the frequency response with constant parameters; `frequency` is a fraction of the sample rate.
    [[nodiscard]] static std::complex<double> response(double frequency, double sample_rate_hz, float time_ms,
                                                       double feedback, double mix);

 private:
    [[nodiscard]] double frames_of(float time_ms) const RTA_NONBLOCKING;
    void prefetch() const RTA_NONBLOCKING;
    void ask_for(float time_ms) RTA_NONBLOCKING;
    void begin_fade() RTA_NONBLOCKING;
    void process_part(const AudioReadView& in, const AudioWriteView& out, std::uint32_t first, std::uint32_t count,
                      BlockValue feedback, BlockValue mix) RTA_NONBLOCKING;
    [[nodiscard]] float fade_gain(std::uint32_t frame) const RTA_NONBLOCKING;
    [[nodiscard]] const float* window(std::uint32_t channel, std::int32_t first, std::uint32_t count,
                                      std::span<float> scratch) RTA_NONBLOCKING;
    [[nodiscard]] const float* read(std::uint32_t channel, const DelayTap& tap, std::uint32_t frame,
                                    std::uint32_t count, std::span<float> scratch) RTA_NONBLOCKING;
    [[nodiscard]] const float* read_faded(std::uint32_t channel, std::uint32_t frame,
                                          std::uint32_t count) RTA_NONBLOCKING;
    void pass(std::uint32_t channel, std::span<const float> in, std::span<float> out, BlockValue mix) RTA_NONBLOCKING;
    void feed_back(std::uint32_t channel, std::span<const float> in, std::span<float> out, BlockValue feedback,
                   BlockValue mix) RTA_NONBLOCKING;
    void feed_back_far(std::uint32_t channel, std::uint32_t frame, std::span<const float> in, std::span<float> out,
                       BlockValue feedback, BlockValue mix) RTA_NONBLOCKING;
    void feed_back_near(std::uint32_t channel, std::uint32_t frame, std::span<const float> in, std::span<float> out,
                        BlockValue feedback, BlockValue mix) RTA_NONBLOCKING;
    void blend(std::span<const float> dry, const float* wet, std::uint32_t frame, BlockValue mix,
               std::span<float> out) RTA_NONBLOCKING;

    double sample_rate_hz_;
    std::uint32_t block_size_;
    std::uint32_t maximum_frames_;
    std::uint32_t fade_frames_;

    AudioBuffer ring_;            ///< channels x a multiple of the block size, so that a block never wraps
    std::uint32_t position_ = 0;  ///< where the block, or its current part, is written
    std::uint32_t filled_ = 0;    ///< frames before position_ that were written since the last reset

    bool started_ = false;         ///< a delay has been set; the first one takes effect without a crossfade
    float time_ms_ = 0.0F;         ///< requested
    DelayTap wanted_;              ///< for time_ms_
    DelayTap tap_;                 ///< current, or target of the crossfade
    DelayTap old_tap_;             ///< source of the crossfade
    std::uint32_t fade_left_ = 0;  ///< remaining frames of the crossfade, from position_; 0: none
    bool waiting_ = false;         ///< wanted_ has not become tap_ yet

    std::vector<float> window_;     ///< copy of samples that are not contiguous in the ring
    std::vector<float> wet_;        ///< one block
    std::vector<float> old_wet_;    ///< one block
    std::vector<float> dry_gains_;  ///< one block: 1 - mix
};

}  // namespace rta::dsp
