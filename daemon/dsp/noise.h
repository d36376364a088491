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

/// White noise: samples evenly spread over -1 to 1, independent of each other, hence an RMS of 1/sqrt(3).
///
/// Sixteen generators side by side, one for each frame of sixteen, so that the loop over them vectorises and the
/// sequence does not depend on the block size. Each is xoshiro128+ of D. Blackman and S. Vigna ("Scrambled linear
/// pseudorandom number generators", ACM Transactions on Mathematical Software 47, 2021), with a period of 2^128 - 1,
/// seeded from SplitMix64 as its authors advise. Only the upper 24 bits of each word reach the sample, which are its
/// good ones.
class WhiteNoise {
 public:
    /// `stream` sets apart noises of one seed, such as the channels of a node. [any]
    WhiteNoise(std::uint64_t seed, std::uint64_t stream) RTA_NONBLOCKING { restart(seed, stream); }

    /// Begins again as a new one. [audio]
    void restart(std::uint64_t seed, std::uint64_t stream) RTA_NONBLOCKING;

    /// Writes the next out.size() samples, times `factor`; out.size() is a multiple of kKernelFrames. [audio]
    void render(float factor, std::span<float> out) RTA_NONBLOCKING;

 private:
    static constexpr std::size_t kLanes = kKernelFrames;
    using Words = std::array<std::uint32_t, kLanes>;

    std::array<Words, 4> state_;
};

/// Turns white noise pink: -3.01 dB an octave, within 0.11 dB from 1e-4 to 0.45 of the sample rate (from 20 Hz at
/// 192 kHz to 20 kHz at 44.1 kHz), and level below 6e-5 of it. White noise keeps its RMS.
///
/// Eight one-pole low-passes with poles at equal ratios, and a path past them, added up: the weights are those with
/// which the logarithm of the magnitude comes closest to that of f^-1/2 (iteratively reweighted least squares, which
/// tends to the least largest error). Everything is relative to the sample rate, so one set serves all.
class PinkFilter {
 public:
    /// In place. [audio]
    void process(std::span<float> samples) RTA_NONBLOCKING;

 private:
    static constexpr std::size_t kPoles = 8;

    std::array<float, kPoles> state_{};
};

}  // namespace rta::dsp
