// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "rt/annotations.h"

namespace rta::dsp {

/// A finite impulse response over a stream that comes in blocks: remembers what of the past it needs.
class FirStream {
 public:
    /// `taps`, the newest frame's last: symmetric ones read the same either way. Remembers `history` frames of the
    /// past, or as many as the taps need. [control]
    FirStream(std::vector<float> taps, std::size_t most_frames, std::size_t history = 0);

    /// Where the next `frames` frames, a multiple of kKernelFrames, are to be written. [audio]
    [[nodiscard]] float* input() RTA_NONBLOCKING { return samples_.data() + history_; }
    /// The response at each of them. [audio]
    void run(float* out, std::size_t frames) const RTA_NONBLOCKING;
    /// They, `frames_ago` <= history() frames before. [audio]
    [[nodiscard]] const float* delayed(std::size_t frames_ago) const RTA_NONBLOCKING {
        return samples_.data() + history_ - frames_ago;
    }
    /// They are the past now. [audio]
    void finish(std::size_t frames) RTA_NONBLOCKING;

 private:
    std::vector<float> taps_;
    std::size_t history_;
    std::vector<float> samples_;  ///< history_ frames of the past, then the block
};

/// Doubles or halves the sample rate with half-band filters of linear phase: every other tap but the middle one is 0,
/// so that one of the two phases is nothing but a delay (M. Bellanger, J. Daguet and G. Lepagnol, "Interpolation,
/// extrapolation, and reduction of computation speed in digital filters", IEEE Transactions on Acoustics, Speech, and
/// Signal Processing 22(4), 1974). 4 * pairs - 1 taps; both are late by 2 * pairs - 1 frames of the higher rate.
class HalfBandUp {
 public:
    /// `most_frames` of the lower rate. [control]
    HalfBandUp(std::size_t pairs, double attenuation_db, std::size_t most_frames);

    [[nodiscard]] float* input() RTA_NONBLOCKING { return filter_.input(); }
    /// Writes 2 * `frames` frames. [audio]
    void run(float* out, std::size_t frames) RTA_NONBLOCKING;

 private:
    std::size_t pairs_;
    FirStream filter_;
    std::vector<float> filtered_;
};

/// Halves the sample rate with any filter of linear phase and odd length.
class Decimator {
 public:
    /// `most_frames` of the lower rate. [control]
    Decimator(const std::vector<double>& taps, std::size_t most_frames);

    /// Reads 2 * `frames` frames, writes `frames`. [audio]
    void run(const float* in, float* out, std::size_t frames) RTA_NONBLOCKING;

 private:
    FirStream even_;  ///< the first, third, ... frame
    FirStream odd_;
    std::vector<float> of_odd_;
};

/// See HalfBandUp.
class HalfBandDown {
 public:
    /// `most_frames` of the lower rate. [control]
    HalfBandDown(std::size_t pairs, double attenuation_db, std::size_t most_frames);

    /// Reads 2 * `frames` frames, writes `frames`. [audio]
    void run(const float* in, float* out, std::size_t frames) RTA_NONBLOCKING;

 private:
    std::size_t pairs_;
    FirStream even_;
    FirStream odd_;  ///< is only delayed
};

/// Eight times the sample rate and back, for one channel. Between the two lies what makes new harmonics.
///
/// The way up passes what is below 0.417 of the sample rate (20 kHz at 48 kHz) and keeps its images 77 dB down; the way
/// back passes what is below 0.383 (18.4 kHz) and leaves nothing above 0.5: what reaches from there into the audible
/// band is 80 dB down. Together they are late by exactly kLatencyFrames.
class Oversampler8 {
 public:
    static constexpr std::size_t kFactor = 8;
    static constexpr std::size_t kLatencyFrames = 44;

    /// [control]
    explicit Oversampler8(std::size_t block_size);

    /// Where the next block is to be written. [audio]
    [[nodiscard]] float* input() RTA_NONBLOCKING { return up2_.input(); }
    /// The 8 * `frames` frames that the block becomes, to be worked on in place. [audio]
    [[nodiscard]] std::span<float> up(std::size_t frames) RTA_NONBLOCKING;
    /// What has become of them, as a block again. [audio]
    void down(std::span<float> out) RTA_NONBLOCKING;

 private:
    HalfBandUp up2_;
    HalfBandUp up4_;
    HalfBandUp up8_;
    HalfBandDown down4_;
    HalfBandDown down2_;
    Decimator down1_;
    std::vector<float> high_;    ///< at 8 times the rate: kPadding frames of the past, then the block
    std::vector<float> middle_;  ///< at 4 times
    std::vector<float> low_;     ///< at 2 times
};

}  // namespace rta::dsp
