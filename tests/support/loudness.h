// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

/// Loudness of whole recordings at 48 kHz, straight from the text of ITU-R BS.1770-4 and EBU Tech 3342: double
/// precision, the filters' own table, no histogram. Nothing of the daemon's mathematics is used.
namespace rta::test {

/// Planar, one or two channels of weight 1. Filtered from the first frame on.
class LoudnessReference {
 public:
    explicit LoudnessReference(std::span<const std::span<const float>> channels);

    /// Of the `frames` before `end_frame`, in LUFS.
    [[nodiscard]] double window_lufs(std::size_t end_frame, std::size_t frames) const;
    /// Gated, of the blocks of 400 ms every 100 ms that lie between the two frames.
    [[nodiscard]] double integrated_lufs(std::size_t begin_frame, std::size_t end_frame, double gate_lu = 10.0) const;
    /// Whether a meter whose relative gate is right to within 0.05 LU may tell so.
    [[nodiscard]] bool fits(double integrated_lufs, std::size_t begin_frame, std::size_t end_frame) const;
    /// Of the windows of 3 s every 100 ms that lie between the two frames.
    [[nodiscard]] double range_lu(std::size_t begin_frame, std::size_t end_frame) const;

    static constexpr std::size_t kMomentaryFrames = 19'200;
    static constexpr std::size_t kShortTermFrames = 144'000;

 private:
    [[nodiscard]] std::vector<double> windows_lufs(std::size_t begin_frame, std::size_t end_frame,
                                                   std::size_t frames) const;

    std::vector<double> sums_;  ///< of squares, of all channels, before each frame
};

/// What the two filters of BS.1770 make of a sine at 48 kHz, in dB.
[[nodiscard]] double k_weighting_db(double frequency_hz);

}  // namespace rta::test
