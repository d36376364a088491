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

/// Sine oscillator with a 64-bit integer phase; a cycle is 2^64. Additions wrap automatically and are exact, so that
/// after an hour the phase is as accurate as the 53 bits of the frequency. Harmonics and noise are those of
/// sine_of_phase(). The phase is continuous when the frequency changes.
class SineOscillator {
 public:
    explicit SineOscillator(double sample_rate_hz) : sample_rate_hz_{sample_rate_hz} {}

    /// Renders with amplitude `factor` and a constant frequency. `out.size()` is a multiple of kKernelFrames. [audio]
    ///
    /// Frequencies are at least 0, and are limited to half the sample rate.
    void render(float frequency_hz, float factor, std::span<float> out) RTA_NONBLOCKING {
        assert(out.size() % kKernelFrames == 0);
        // Cached: the division takes as long as a vector of sines.
        if (frequency_hz != frequency_hz_) {
            frequency_hz_ = frequency_hz;
            increment_ = increment_of(frequency_hz);
        }
        const std::uint64_t phase = phase_;
        phase_ += increment_ * out.size();
        kernels().sine(phase, increment_, factor, out.data(), out.size());
    }

    /// Renders with amplitude 1 and a constant frequency. [audio]
    void render(float frequency_hz, std::span<float> out) RTA_NONBLOCKING { render(frequency_hz, 1.0F, out); }

    /// Renders with amplitude 1 and one frequency per frame of `out`. [audio]
    void render(std::span<const float> frequencies_hz, std::span<float> out) RTA_NONBLOCKING {
        assert(frequencies_hz.size() == out.size());
        render(0.0F, frequencies_hz.data(), 1.0F, nullptr, out);
    }

    /// Renders with frequency and amplitude that are constant, or one value per frame if the ramp is not nullptr; the
    /// constant is then ignored. A flat ramp and a constant produce the same bits. [audio]
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

    /// Returns the phase of the next frame, in 2^-64 cycles.
    [[nodiscard]] std::uint64_t phase() const RTA_NONBLOCKING { return phase_; }

 private:
    [[nodiscard]] std::uint64_t increment_of(float frequency_hz) const RTA_NONBLOCKING {
        const double cycles_per_frame = std::min(static_cast<double>(frequency_hz) / sample_rate_hz_, 0.5);
        return static_cast<std::uint64_t>(cycles_per_frame * 0x1p64);
    }

    double sample_rate_hz_;
    std::uint64_t phase_ = 0;
    float frequency_hz_ = 0.0F;    ///< for which increment_ was computed
    std::uint64_t increment_ = 0;  ///< per frame
};

}  // namespace rta::dsp
