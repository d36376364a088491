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

/// Value during one block: constant, or one per frame.
struct FrameValues {
    float value = 0.0F;
    const float* ramp = nullptr;  ///< nullptr: `value` holds for every frame

    [[nodiscard]] float operator[](std::size_t frame) const RTA_NONBLOCKING {
        return ramp == nullptr ? value : ramp[frame];
    }
};

/// Saw, pulse and triangle waves without aliasing.
///
/// A waveform with steps (or corners) is the sum of a smooth part, which can be sampled directly, and of steps (or
/// corners). Filtering each step before sampling filters the entire waveform: the output is exactly the analogue
/// waveform after a linear-phase low-pass. The quality is that of the filter, at every frequency and during glides.
/// The difference between a filtered and an ideal step is short and stored in a table (E. Brandt, "Hard sync without
/// aliasing", ICMC 2001; V. Valimaki and A. Huovilainen, "Antialiasing oscillators in subtractive synthesis", IEEE
/// Signal Processing Magazine 24(2), 2007); here the filter is a Kaiser-windowed sinc of 48 frames.
/// Harmonics are accurate to 0.01 dB up to 0.385 of the sample rate (18.5 kHz at 48 kHz), to 0.1 dB up to 0.4, and -6
/// dB at 0.443 (21.3 kHz). Every alias is 86 dB below the harmonic that causes it, whose amplitude is at most half that
/// of the fundamental.
///
/// The phase is a 64-bit integer, as in SineOscillator. The filter looks ahead by half of its length, so a new
/// frequency takes effect 24 frames late; the start phase is exact nevertheless.
class BandLimitedOscillator {
 public:
    enum class Shape : std::uint8_t {
        saw,       ///< rises from -1 to 1; 0 at phase 0
        square,    ///< step up at phase 0, down one pulse width later; peak-to-peak 2, no DC
        triangle,  ///< between -1 and 1; rises through 0 at phase 0
    };

    /// Half the length of the filter, in frames.
    static constexpr std::size_t kHalfWidth = 24;
    static constexpr std::size_t kTaps = 2 * kHalfWidth;

    /// `block_size` is the maximum number of frames per render() call. [control]
    BandLimitedOscillator(Shape shape, double sample_rate_hz, std::size_t block_size);

    /// Writes the next out.size() frames, a multiple of kKernelFrames. [audio]
    ///
    /// Frequencies are at least 0, and are limited to half the sample rate. The pulse width is a fraction of the cycle
    /// between 0 and 1, used by the square only.
    void render(const FrameValues& frequency_hz, const FrameValues& pulse_width, std::span<float> out) RTA_NONBLOCKING;

    /// Differences between filtered and ideal steps and corners: a row of kTaps frames for each position of the step
    /// between two frames.
    class Residuals;

 private:
    /// Phase increments of a block, in 2^-64 cycles per frame.
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
    float frequency_hz_ = -1.0F;  ///< for which increment_ was computed; -1: none yet
    std::uint64_t increment_ = 0;
    std::uint64_t phase_ = 0;            ///< at the frame kHalfWidth after the next one
    std::uint64_t pulse_width_ = 0;      ///< at that frame, in 2^-64 cycles
    std::vector<std::uint64_t> moving_;  ///< increments of a block with a frequency ramp
    std::vector<float> sum_;             ///< generated output, next frame first
};

}  // namespace rta::dsp
