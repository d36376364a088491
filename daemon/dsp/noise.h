// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dsp/kernels.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// White noise: independent samples, uniformly distributed over -1 to 1. The RMS is 1/sqrt(3).
///
/// Sixteen parallel generators, one for each frame of a group of sixteen, so that the loop vectorises and the sequence
/// does not depend on the block size. Each is xoshiro128+ by D. Blackman and S. Vigna ("Scrambled linear
/// pseudorandom number generators", ACM Transactions on Mathematical Software 47, 2021), with a period of 2^128 - 1,
/// seeded with SplitMix64 as its authors recommend. Samples use only the upper 24 bits of each word, which have the
/// better quality.
class WhiteNoise {
 public:
    /// `stream` selects one of the independent sequences of a seed, for example one per channel. [any]
    WhiteNoise(std::uint64_t seed, std::uint64_t stream) RTA_NONBLOCKING { restart(seed, stream); }

    /// Restarts as if newly constructed. [audio]
    void restart(std::uint64_t seed, std::uint64_t stream) RTA_NONBLOCKING;

    /// Writes the next out.size() samples, multiplied by `factor`. out.size() is a multiple of kKernelFrames. [audio]
    void render(float factor, std::span<float> out) RTA_NONBLOCKING;

 private:
    static constexpr std::size_t kLanes = kKernelFrames;
    using Words = std::array<std::uint32_t, kLanes>;

    std::array<Words, 4> state_;
};

/// Filters white noise to pink noise: -3.01 dB per octave, within 0.11 dB from 1e-4 to 0.45 of the sample rate (20 Hz
/// at 192 kHz to 20 kHz at 44.1 kHz); flat below 6e-5 of the sample rate. The RMS of white noise is preserved.
///
/// The sum of a direct path and eight one-pole low-passes with poles at equal ratios. The weights fit the logarithm of
/// the magnitude to that of f^-1/2 (iteratively reweighted least squares, which approximates the minimax solution). All
/// values are relative to the sample rate, so one set serves all rates.
class PinkFilter {
 public:
    /// Filters `samples` in place. [audio]
    void process(std::span<float> samples) RTA_NONBLOCKING;

 private:
    static constexpr std::size_t kPoles = 8;

    std::array<float, kPoles> state_{};
};

}  // namespace rta::dsp
