// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <complex>
#include <cstdint>

#include "rt/annotations.h"

namespace rta::dsp {

/// Reading position of a fractional delay: interpolates between `count` adjacent samples, each with a factor. A whole
/// number of frames reads one sample without a factor, so the result is bit-exact.
///
/// From kCentredFrames on, the factors are a sinc with a window that is fixed relative to the samples,
///
///     factor[k] = (-1)^k window[k] / (position of sample k - reading position),   divided by their sum.
///
/// The sine of the sinc is common to all factors and cancels in the division. The window is a Kaiser window over up to
/// 32 samples (beta 9), half of them on each side. The error is below -85 dB up to 3/8 of the sample rate (18 kHz at 48
/// kHz), and below -60 dB up to 5/12.
///
/// Below kCentredFrames the samples after the position are too few for that, and a window over the few there are would
/// attenuate high frequencies. There the factors are the impulse response of Thiran's all-pass filter, whose order is
/// the nearest integer to the delay, and which attenuates nothing (T. I. Laakso, V. Valimaki, M. Karjalainen and U. K.
/// Laine, "Splitting the Unit Delay", IEEE Signal Processing Magazine 13(1), 1996). Within 32 frames it decays
/// completely, except close to order 0: there it rings at half the sample rate, and a Kaiser window (beta 5.5) ends it.
/// From one frame on, the filter delays the sample before the current one, so that a loop can contain the tap. The
/// price is phase: at most 0.2 frames of error up to 10 kHz at 48 kHz (0.07 below two frames), and 0.45 up to 5/12 of
/// the sample rate.
///
/// At every delay, the gain is within 0.09 dB up to 5/12 of the sample rate, and no frequency is amplified by more than
/// kMaximumGain, so feedback stays stable.
struct DelayTap {
    static constexpr std::uint32_t kMaximumCount = 32;
    static constexpr std::uint32_t kCentredFrames = 12;
    static constexpr double kMaximumGain = 1.0015;

    std::uint32_t nearest = 0;  ///< age in frames of the newest sample read; 0 is the sample written last
    std::uint32_t count = 1;    ///< 1 or an even number
    std::array<float, kMaximumCount> factors{};  ///< oldest sample first; unused if `count` is 1

    /// Returns the tap for a delay of at least 0 frames. [any]
    [[nodiscard]] static DelayTap at(double delay_frames) RTA_NONBLOCKING;

    /// Returns the age of the oldest sample read, in frames.
    [[nodiscard]] std::uint32_t farthest() const RTA_NONBLOCKING { return nearest + count - 1; }
    [[nodiscard]] bool whole() const RTA_NONBLOCKING { return count == 1; }
    /// Returns the frequency response; `frequency` is a fraction of the sample rate. [control]
    [[nodiscard]] std::complex<double> response(double frequency) const;
};

}  // namespace rta::dsp
