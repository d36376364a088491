// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/ramp.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Delays all channels by a time that changes slowly. This changes the pitch slightly, without gaps, steps or comb
/// filtering. At rest it delays by whole frames, bit-exact.
///
/// While the delay moves, samples are interpolated with Lagrange's polynomial, whose order grows with the delay,
/// because a delay of 0 has no later samples to use: 1 below one frame, then 3 and 5, and 7 from three frames on. The
/// response at half a frame falls by 0.5 dB at 0.11 of the sample rate with order 1, and at 0.29 of it with order 7. T.
/// Laakso et al., "Splitting the Unit Delay", IEEE Signal Processing Magazine, 1996.
class GlidingDelay {
 public:
    static constexpr std::uint32_t kTaps = 8;  ///< samples from which one is interpolated, at most

    /// `delay_frames` is the delay at the start, at most `maximum_frames`. [control]
    GlidingDelay(std::uint32_t channel_count, std::uint32_t block_size, std::uint32_t maximum_frames,
                 std::uint32_t delay_frames);

    [[nodiscard]] std::uint32_t maximum_frames() const RTA_NONBLOCKING { return maximum_frames_; }

    /// Moves the delay from its current value to `frames`, from `frame` on in `length_frames` frames. `order` numbers
    /// these movements from 1; a movement that has already been started is not started again. [audio]
    void move_to(std::uint32_t frames, std::uint64_t frame, std::uint32_t length_frames,
                 std::uint64_t order) RTA_NONBLOCKING;
    /// Prepares the block that starts at `frame`. Call it before process(). [audio]
    void start_block(std::uint64_t frame) RTA_NONBLOCKING;
    /// Processes one block of one channel. `out` may be `in`. Call once for each channel, then advance(). [audio]
    void process(std::uint32_t channel, std::span<const float> in, std::span<float> out) RTA_NONBLOCKING;
    /// Advances to the next block, after all channels were processed. [audio]
    void advance() RTA_NONBLOCKING;

 private:
    /// The parameters of the computation of one output frame.
    struct Interpolation {
        std::uint32_t newest;              ///< delay of the first sample, in frames
        std::array<float, kTaps> weights;  ///< of the first sample and those before it
    };

    [[nodiscard]] static Interpolation interpolation(float delay_frames) RTA_NONBLOCKING;

    std::uint32_t block_size_;
    std::uint32_t maximum_frames_;
    Ramp delay_;
    std::uint64_t order_ = 0;             ///< of the latest movement
    bool moves_ = false;                  ///< in this block
    std::vector<float> delays_;           ///< of the frames of a block
    std::vector<Interpolation> weights_;  ///< of the frames of a block
    AudioBuffer ring_;                    ///< channels x a power of two
    std::uint32_t position_ = 0;          ///< where the next block is written
};

}  // namespace rta::dsp
