// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dsp/kernels.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// A sine whose phase is a 64-bit integer, a cycle being 2^64: adding to it wraps by itself and never loses a bit, so
/// after an hour the phase is off by no more than the 53 bits of the frequency itself. Harmonics and noise are those of
/// sine_of_phase(). The phase is continuous through every change of frequency.
class SineOscillator {
 public:
    explicit SineOscillator(double sample_rate_hz) : sample_rate_hz_{sample_rate_hz} {}

    /// Amplitude `factor`, one frequency for all frames. `out.size()` is a multiple of kKernelFrames. [audio]
    ///
    /// Frequencies are at least 0; above half the sample rate, they count as half the sample rate.
    void render(float frequency_hz, float factor, std::span<float> out) RTA_NONBLOCKING {
        assert(out.size() % kKernelFrames == 0);
        // The quotient of a frequency at rest is not worked out again: a division takes as long as a vector of sines.
        if (frequency_hz != frequency_hz_) {
            frequency_hz_ = frequency_hz;
            increment_ = increment_of(frequency_hz);
        }
        const std::uint64_t phase = phase_;
        phase_ += increment_ * out.size();
        kernels().sine(phase, increment_, factor, out.data(), out.size());
    }

    /// The same with amplitude 1. [audio]
    void render(float frequency_hz, std::span<float> out) RTA_NONBLOCKING { render(frequency_hz, 1.0F, out); }

    /// Amplitude 1, a frequency for each frame, as many as `out` has. [audio]
    void render(std::span<const float> frequencies_hz, std::span<float> out) RTA_NONBLOCKING {
        assert(frequencies_hz.size() == out.size());
        render(0.0F, frequencies_hz.data(), 1.0F, nullptr, out);
    }

    /// Frequency and amplitude each as one value for all frames, or, where the ramp is not nullptr, as one a frame,
    /// when the value is not looked at. The same bits where a ramp is flat. [audio]
    void render(float frequency_hz, const float* frequencies_hz, float factor, const float* factors,
                std::span<float> out) RTA_NONBLOCKING {
        assert(out.size() % kKernelFrames == 0);
        std::array<std::uint32_t, kKernelFrames> phases;
        std::array<float, kKernelFrames> gains;
        gains.fill(factor);
        for (std::size_t first = 0; first < out.size(); first += kKernelFrames) {
            for (std::size_t index = 0; index < kKernelFrames; ++index) {
                phases[index] = static_cast<std::uint32_t>(phase_ >> 32U);
                phase_ += increment_of(frequencies_hz == nullptr ? frequency_hz : frequencies_hz[first + index]);
            }
            kernels().sine_of_phases(phases.data(), factors == nullptr ? gains.data() : factors + first,
                                     out.data() + first, kKernelFrames);
        }
    }

    /// Of the next frame, in 2^-64 cycles.
    [[nodiscard]] std::uint64_t phase() const RTA_NONBLOCKING { return phase_; }

 private:
    [[nodiscard]] std::uint64_t increment_of(float frequency_hz) const RTA_NONBLOCKING {
        const double cycles_per_frame = std::min(static_cast<double>(frequency_hz) / sample_rate_hz_, 0.5);
        return static_cast<std::uint64_t>(cycles_per_frame * 0x1p64);
    }

    double sample_rate_hz_;
    std::uint64_t phase_ = 0;
    float frequency_hz_ = 0.0F;    ///< of increment_
    std::uint64_t increment_ = 0;  ///< a frame
};

}  // namespace rta::dsp
