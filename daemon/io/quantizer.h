// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/noise.h"

namespace rta::io {

/// Converts samples to 24-bit integers. Adds triangular dither (TPDF) of two steps peak to peak, which makes the error
/// independent of the signal: white noise of half a step RMS (-147 dBFS). Pieces of kPiece samples that already lie on
/// the 24-bit grid pass unchanged: silence, and audio that came from 16 or 24 bits. The dither is the same in each run.
class Quantizer24 {
 public:
    /// Samples that are dithered, or not, together.
    static constexpr std::size_t kPiece = 4096;

    /// Writes integers in the upper 24 bits, as libsndfile expects them. Both spans have the same size. The pieces
    /// start again with each call.
    void convert(std::span<const float> in, std::span<std::int32_t> out);

    /// Returns the number of samples outside the 24-bit range, -1 to 1 - 2^-23. 1 and NaN are outside.
    [[nodiscard]] std::uint64_t clipped_samples() const noexcept { return clipped_samples_; }

 private:
    void convert_piece(std::span<const float> in, std::span<std::int32_t> out);

    dsp::WhiteNoise first_{24, 0};
    dsp::WhiteNoise second_{24, 1};
    std::vector<float> dither_ = std::vector<float>(kPiece);
    std::vector<float> more_dither_ = std::vector<float>(kPiece);
    std::uint64_t clipped_samples_ = 0;
};

}  // namespace rta::io
