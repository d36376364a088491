// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

/// Loudness of whole recordings at 48 kHz, implemented directly from ITU-R BS.1770-4 and EBU Tech 3342: double
/// precision, the filter table of the standard, no histogram. Does not use code of the daemon.
namespace rta::test {

/// Loudness of a planar signal of one or two channels of weight 1, filtered from the first frame on.
class LoudnessReference {
 public:
    explicit LoudnessReference(std::span<const std::span<const float>> channels);

    /// Returns the loudness of the `frames` frames before `end_frame`, in LUFS.
    [[nodiscard]] double window_lufs(std::size_t end_frame, std::size_t frames) const;
    /// Returns the gated loudness of the 400 ms blocks, one every 100 ms, between the two frames.
    [[nodiscard]] double integrated_lufs(std::size_t begin_frame, std::size_t end_frame, double gate_lu = 10.0) const;
    /// Returns whether the value is correct for a meter with an error of the relative gate of up to 0.05 LU.
    [[nodiscard]] bool fits(double integrated_lufs, std::size_t begin_frame, std::size_t end_frame) const;
    /// Returns the loudness range of the 3 s windows, one every 100 ms, between the two frames.
    [[nodiscard]] double range_lu(std::size_t begin_frame, std::size_t end_frame) const;

    static constexpr std::size_t kMomentaryFrames = 19'200;
    static constexpr std::size_t kShortTermFrames = 144'000;

 private:
    [[nodiscard]] std::vector<double> windows_lufs(std::size_t begin_frame, std::size_t end_frame,
                                                   std::size_t frames) const;

    std::vector<double> sums_;  ///< sum of squares of all channels before each frame
};

/// Returns the gain of the two filters of BS.1770 for a sine at 48 kHz, in dB.
[[nodiscard]] double k_weighting_db(double frequency_hz);

}  // namespace rta::test
