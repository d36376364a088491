// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/audio_view.h"
#include "dsp/block_value.h"
#include "dsp/onset.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Where a delay is read: `count` neighbouring samples, each with a factor, give the sample in between. A whole number
/// of frames is one sample and no factor, so it comes out bit for bit.
///
/// The factors are those of a sinc under a window that stands still over the samples,
///
///     factor[k] = (-1)^k window[k] / (place of sample k - place read),   divided by their sum,
///
/// where the sine of the sinc, the same in all of them, has gone with the sum. With a Kaiser window (beta 9) over 32
/// samples the error is below -85 dB up to 3/8 of the sample rate (18 kHz of 48 kHz), below -60 dB up to 5/12. A delay
/// below 16 frames has no 16 samples on its near side; there the window holds binomial coefficients, which makes it
/// Lagrange's interpolation over the 2 floor(delay) samples around it (T. I. Laakso, V. Valimaki, M. Karjalainen and
/// U. K. Laine, "Splitting the Unit Delay", IEEE Signal Processing Magazine 13(1), 1996); below one frame it is linear.
/// No factors amplify any frequency by more than 0.001 dB, so that feedback stays stable.
struct DelayTap {
    static constexpr std::uint32_t kMaximumCount = 32;

    std::uint32_t nearest = 0;  ///< age of the youngest sample read, frames: 0 is the one that has just been written
    std::uint32_t count = 1;    ///< 1, or even
    std::array<float, kMaximumCount> factors{};  ///< the oldest sample's first; none where `count` is 1

    /// For a delay of 0 or more frames. [any]
    [[nodiscard]] static DelayTap at(double delay_frames) RTA_NONBLOCKING;

    /// Age of the oldest sample read.
    [[nodiscard]] std::uint32_t farthest() const RTA_NONBLOCKING { return nearest + count - 1; }
    [[nodiscard]] bool whole() const RTA_NONBLOCKING { return count == 1; }
};

/// A delay with feedback around it, the same for all its channels:
///
///     line[n] = in[n] + feedback * line[n - max(delay, 1)],   out[n] = (1 - mix) * in[n] + mix * line[n - delay]
///
/// When the delay changes, what is heard cross-fades from the old place in the line to the new one in fade_frames(): no
/// click, and no glide of the pitch. A delay that comes meanwhile waits until that is done; of several the last.
class DelayLine {
 public:
    /// All its memory is there, and has been touched, from now on. [control]
    DelayLine(double sample_rate_hz, double maximum_ms, std::uint32_t channel_count, std::uint32_t block_size);

    /// Before the first block, whose delay `time_ms` is: what goes into the line is faded in over 10 ms, or over the
    /// delay where that is shorter, once the `silent_frames` are over in which nothing comes. So a line that is put
    /// into a sound does not begin with a step when the delay is over. [audio]
    void fade_in(std::uint32_t silent_frames, float time_ms) RTA_NONBLOCKING;

    /// One block of all channels. `out` may be `in`. [audio]
    ///
    /// `time_ms`: 0 to the maximum. One that is a whole number of frames, but for the rounding of a float, is exactly
    /// that. `feedback`: above -1 and below 1.
    void process(const AudioReadView& in, const AudioWriteView& out, float time_ms, BlockValue feedback,
                 BlockValue mix) RTA_NONBLOCKING;

    /// 20 ms, rounded to what kernels take: a cross-fade may end anywhere in a block, and the next one begins there.
    /// [any]
    [[nodiscard]] std::uint32_t fade_frames() const RTA_NONBLOCKING { return fade_frames_; }

 private:
    /// One channel, or a part of it.
    struct Input {
        std::span<const float> dry;   ///< what is heard beside the line
        std::span<const float> line;  ///< what goes into it: the same, but for the onset

        [[nodiscard]] Input part(std::size_t first, std::size_t count) const RTA_NONBLOCKING {
            return {.dry = dry.subspan(first, count), .line = line.subspan(first, count)};
        }
    };

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
    void pass(std::uint32_t channel, const Input& in, std::span<float> out, BlockValue mix) RTA_NONBLOCKING;
    void feed_back(std::uint32_t channel, const Input& in, std::span<float> out, BlockValue feedback,
                   BlockValue mix) RTA_NONBLOCKING;
    void feed_back_far(std::uint32_t channel, std::uint32_t frame, const Input& in, std::span<float> out,
                       BlockValue feedback, BlockValue mix) RTA_NONBLOCKING;
    void feed_back_near(std::uint32_t channel, std::uint32_t frame, const Input& in, std::span<float> out,
                        BlockValue feedback, BlockValue mix) RTA_NONBLOCKING;
    void blend(std::span<const float> dry, const float* wet, std::uint32_t frame, BlockValue mix,
               std::span<float> out) RTA_NONBLOCKING;

    double sample_rate_hz_;
    std::uint32_t block_size_;
    std::uint32_t maximum_frames_;
    std::uint32_t fade_frames_;

    AudioBuffer ring_;            ///< channels x a multiple of the block size, so that a block never wraps
    std::uint32_t position_ = 0;  ///< where the block, or the part of it that is being made, is written
    std::uint32_t filled_ = 0;    ///< frames before position_ that were written since the last reset

    bool started_ = false;         ///< has a delay: the first one is not faded to
    float time_ms_ = 0.0F;         ///< asked for
    DelayTap wanted_;              ///< for time_ms_
    DelayTap tap_;                 ///< heard, or faded to
    DelayTap old_tap_;             ///< faded from
    std::uint32_t fade_left_ = 0;  ///< frames of the fade from position_ on; 0: none
    bool waiting_ = false;         ///< wanted_ is not tap_ yet

    Onset onset_;  ///< of what goes in

    std::vector<float> window_;     ///< samples of the ring where they do not lie in one piece
    std::vector<float> wet_;        ///< a block
    std::vector<float> old_wet_;    ///< a block
    std::vector<float> dry_gains_;  ///< a block: 1 - mix
    std::vector<float> softened_;   ///< a block
};

}  // namespace rta::dsp
