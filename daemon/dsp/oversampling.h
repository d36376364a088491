// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "rt/annotations.h"

namespace rta::dsp {

/// Block-based FIR filter. Keeps the past frames that it needs.
class FirStream {
 public:
    /// The last of `taps` applies to the newest frame. Keeps `history` past frames, or the number that the taps need if
    /// that is greater. [control]
    FirStream(std::vector<float> taps, std::size_t most_frames, std::size_t history = 0);

    /// Returns where to write the next `frames` frames, a multiple of kKernelFrames. [audio]
    [[nodiscard]] float* input() RTA_NONBLOCKING { return samples_.data() + history_; }
    /// Filters the frames that were written to input(). [audio]
    void run(float* out, std::size_t frames) const RTA_NONBLOCKING;
    /// Returns the same frames, delayed by `frames_ago` <= history. [audio]
    [[nodiscard]] const float* delayed(std::size_t frames_ago) const RTA_NONBLOCKING {
        return samples_.data() + history_ - frames_ago;
    }
    /// Moves the frames to the past. [audio]
    void finish(std::size_t frames) RTA_NONBLOCKING;

 private:
    std::vector<float> taps_;
    std::size_t history_;
    std::vector<float> samples_;  ///< history_ past frames, then the block
};

/// Doubles the sample rate with a linear-phase half-band filter. Every other tap except the middle one is 0, so one of
/// the two polyphase branches is a pure delay (M. Bellanger, J. Daguet and G. Lepagnol, "Interpolation,
/// extrapolation, and reduction of computation speed in digital filters", IEEE Transactions on Acoustics, Speech, and
/// Signal Processing 22(4), 1974). The filter has 4 * pairs - 1 taps; the latency is 2 * pairs - 1 frames of the higher
/// rate.
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

/// Halves the sample rate with a given linear-phase filter of odd length.
class Decimator {
 public:
    /// `most_frames` of the lower rate. [control]
    Decimator(const std::vector<double>& taps, std::size_t most_frames);

    /// Reads 2 * `frames` frames, writes `frames`. [audio]
    void run(const float* in, float* out, std::size_t frames) RTA_NONBLOCKING;

 private:
    FirStream even_;  ///< first, third, ... frame
    FirStream odd_;
    std::vector<float> of_odd_;
};

/// Halves the sample rate with the half-band filter of HalfBandUp.
class HalfBandDown {
 public:
    /// `most_frames` of the lower rate. [control]
    HalfBandDown(std::size_t pairs, double attenuation_db, std::size_t most_frames);

    /// Reads 2 * `frames` frames, writes `frames`. [audio]
    void run(const float* in, float* out, std::size_t frames) RTA_NONBLOCKING;

 private:
    std::size_t pairs_;
    FirStream even_;
    FirStream odd_;  ///< pure delay
};

/// Oversamples one channel by 8, for processing that generates harmonics.
///
/// The processing in between takes the mean over two consecutive frames (antiderivative antialiasing, see
/// dsp/soft_clip.h). A filter of four taps restores the high frequencies that this attenuates, and adds to its half
/// frame of delay.
///
/// Upsampling passes frequencies below 0.417 of the sample rate (20 kHz at 48 kHz) and attenuates their images by 77
/// dB. Downsampling passes frequencies below 0.383 (18.4 kHz) and removes those above 0.5; aliases in the audible band
/// are attenuated by 80 dB. The total latency is exactly kLatencyFrames.
class Oversampler8 {
 public:
    static constexpr std::size_t kFactor = 8;
    static constexpr std::size_t kLatencyFrames = 44;

    /// [control]
    explicit Oversampler8(std::size_t block_size);

    /// Returns where to write the next block. [audio]
    [[nodiscard]] float* input() RTA_NONBLOCKING { return up2_.input(); }
    /// Upsamples the block. Returns the frame before it, then its 8 * `frames` frames. [audio]
    [[nodiscard]] std::span<const float> up(std::size_t frames) RTA_NONBLOCKING;
    /// Returns where to write the 8 * `frames` processed frames. [audio]
    [[nodiscard]] std::span<float> processed(std::size_t frames) RTA_NONBLOCKING {
        return {mean_.input(), kFactor * frames};
    }
    /// Downsamples the processed frames to one block. [audio]
    void down(std::span<float> out) RTA_NONBLOCKING;

 private:
    HalfBandUp up2_;
    HalfBandUp up4_;
    HalfBandUp up8_;
    FirStream mean_;  ///< compensates the processing
    HalfBandDown down4_;
    HalfBandDown down2_;
    Decimator down1_;
    std::vector<float> raised_;  ///< at 8 times the rate: one past frame, then the block
    std::vector<float> high_;    ///< at 8 times the rate: kPadding past frames, then the block
    std::vector<float> middle_;  ///< at 4 times
    std::vector<float> low_;     ///< at 2 times
};

}  // namespace rta::dsp
