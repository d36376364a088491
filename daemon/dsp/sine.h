// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dsp/math.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// A sine whose phase is a 64-bit integer, a cycle being 2^64: adding to it wraps by itself and never loses a bit, so
/// after an hour the phase is off by no more than the 53 bits of the frequency itself. Harmonics and noise are those of
/// sine_of_phase(). The phase is continuous through every change of frequency.
class SineOscillator {
 public:
    /// Frames come in multiples of this.
    static constexpr std::size_t kFrames = 16;

    explicit SineOscillator(double sample_rate_hz) : sample_rate_hz_{sample_rate_hz} {}

    /// Amplitude 1, one frequency for all frames. `out.size()` is a multiple of kFrames. [audio]
    ///
    /// Frequencies are at least 0; above half the sample rate, they count as half the sample rate.
    void render(float frequency_hz, std::span<float> out) RTA_NONBLOCKING {
        const std::uint64_t increment = increment_of(frequency_hz);
        for (std::size_t first = 0; first < out.size(); first += kFrames) {
            Phases phases;
            for (std::uint32_t& phase : phases) phase = take_phase(increment);
            write_sines(phases, out.subspan(first));
        }
    }

    /// A frequency for each frame, as many as `out` has. [audio]
    void render(std::span<const float> frequencies_hz, std::span<float> out) RTA_NONBLOCKING {
        for (std::size_t first = 0; first < out.size(); first += kFrames) {
            Phases phases;
            for (std::size_t index = 0; index < kFrames; ++index) {
                phases[index] = take_phase(increment_of(frequencies_hz[first + index]));
            }
            write_sines(phases, out.subspan(first));
        }
    }

    /// Phase 0: the next frame is 0. [audio]
    void reset() RTA_NONBLOCKING { phase_ = 0; }

    /// Of the next frame, in 2^-64 cycles.
    [[nodiscard]] std::uint64_t phase() const RTA_NONBLOCKING { return phase_; }

 private:
    using Phases = std::array<std::uint32_t, kFrames>;

    [[nodiscard]] std::uint64_t increment_of(float frequency_hz) const RTA_NONBLOCKING {
        const double cycles_per_frame = std::min(static_cast<double>(frequency_hz) / sample_rate_hz_, 0.5);
        return static_cast<std::uint64_t>(cycles_per_frame * 0x1p64);
    }

    std::uint32_t take_phase(std::uint64_t increment) RTA_NONBLOCKING {
        const auto top = static_cast<std::uint32_t>(phase_ >> 32U);
        phase_ += increment;
        return top;
    }

    // A loop of its own, over a fixed count: this is the one that vectorises.
    static void write_sines(const Phases& phases, std::span<float> out) RTA_NONBLOCKING {
        for (std::size_t index = 0; index < kFrames; ++index) out[index] = sine_of_phase(phases[index]);
    }

    double sample_rate_hz_;
    std::uint64_t phase_ = 0;
};

}  // namespace rta::dsp
