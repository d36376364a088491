// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/kernels.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// A value over one block, given as one number for all of it or as one a frame.
struct FrameValues {
    float value = 0.0F;
    const float* ramp = nullptr;  ///< nullptr: `value` holds for every frame

    [[nodiscard]] float operator[](std::size_t frame) const RTA_NONBLOCKING {
        return ramp == nullptr ? value : ramp[frame];
    }
};

/// Saw, pulse and triangle waves without aliases.
///
/// A wave with jumps (or corners) is the sum of a smooth part, which can be sampled as it is, and of steps (or bent
/// lines). Filtering each step before it is sampled filters the whole: what is rendered is exactly the analogue wave
/// behind a low-pass of linear phase, so that its quality is the filter's, at every frequency and during every glide.
/// The difference between a filtered and a plain step is short and stands in a table (E. Brandt, "Hard sync without
/// aliasing", ICMC 2001; V. Valimaki and A. Huovilainen, "Antialiasing oscillators in subtractive synthesis", IEEE
/// Signal Processing Magazine 24(2), 2007); here the filter is a sinc under a Kaiser window, 48 frames long:
/// harmonics are true to 0.01 dB up to 0.385 of the sample rate (18.5 kHz at 48 kHz), to 0.1 dB up to 0.4, -6 dB at
/// 0.443 (21.3 kHz), and what lies above half of it, hence every alias, is 86 dB below the harmonic it comes from,
/// which is at most half as strong as the fundamental.
///
/// The phase is a 64-bit integer, as that of SineOscillator. The filter looks half its length ahead, so the wave takes
/// up a new frequency 24 frames late; it begins in phase all the same.
class BandLimitedOscillator {
 public:
    enum class Shape : std::uint8_t {
        saw,       ///< rises from -1 to 1, and is 0 at phase 0
        square,    ///< steps up at phase 0 and down a pulse width later; from step to step 2, and without DC
        triangle,  ///< from -1 to 1; rises through 0 at phase 0
    };

    /// Of the filter, in frames.
    static constexpr std::size_t kHalfWidth = 24;
    static constexpr std::size_t kTaps = 2 * kHalfWidth;

    /// `block_size`: the most frames that are rendered at once. [control]
    BandLimitedOscillator(Shape shape, double sample_rate_hz, std::size_t block_size);

    /// Writes the next out.size() frames, a multiple of kKernelFrames. [audio]
    ///
    /// Frequencies are at least 0; above half the sample rate, they count as half the sample rate. The pulse width is
    /// a part of the cycle, between 0 and 1; only the square looks at it.
    void render(const FrameValues& frequency_hz, const FrameValues& pulse_width, std::span<float> out) RTA_NONBLOCKING;

    /// What is to be added to a plain step, or to a plain corner, for it to be the filtered one: a row of kTaps frames
    /// for each position of the step between two frames.
    class Residuals;

 private:
    /// What the phase moves by in each frame of a block.
    struct Increments {
        std::uint64_t value = 0;
        const std::uint64_t* ramp = nullptr;

        [[nodiscard]] std::uint64_t operator[](std::size_t frame) const RTA_NONBLOCKING {
            return ramp == nullptr ? value : ramp[frame];
        }
    };

    [[nodiscard]] std::uint64_t increment_of(float frequency_hz) const RTA_NONBLOCKING;
    [[nodiscard]] Increments increments_of(const FrameValues& frequency_hz, std::size_t frames) RTA_NONBLOCKING;
    void start(const FrameValues& frequency_hz, const FrameValues& pulse_width) RTA_NONBLOCKING;
    void generate(const Increments& increments, const FrameValues& pulse_width, std::size_t frames) RTA_NONBLOCKING;
    void add_saw(std::uint64_t phase, const Increments& increments, float sign, std::size_t frames) RTA_NONBLOCKING;
    void add_pulse_end(const Increments& increments, const FrameValues& pulse_width,
                       std::size_t frames) RTA_NONBLOCKING;
    void add_triangle(const Increments& increments, std::size_t frames) RTA_NONBLOCKING;
    void advance(const Increments& increments, std::size_t frames) RTA_NONBLOCKING;
    void shift(std::size_t frames) RTA_NONBLOCKING;

    const Residuals* residuals_;
    double sample_rate_hz_;
    Shape shape_;
    bool started_ = false;
    float frequency_hz_ = -1.0F;  ///< of increment_; none yet
    std::uint64_t increment_ = 0;
    std::uint64_t phase_ = 0;            ///< of the frame kHalfWidth ahead of the next one
    std::uint64_t pulse_width_ = 0;      ///< in force at that frame, in 2^-64 cycles
    std::vector<std::uint64_t> moving_;  ///< increments of a block whose frequency is on a ramp
    std::vector<float> sum_;             ///< of what has been generated; the next frame comes first
};

}  // namespace rta::dsp
