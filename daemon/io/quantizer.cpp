// SPDX-License-Identifier: MIT
#include "io/quantizer.h"

#include <algorithm>
#include <cmath>

namespace rta::io {
namespace {

constexpr float kStepsOfFullScale = 0x1p23F;
constexpr double kHighest = 0x1p23 - 1.0;
constexpr float kHighestSample = 1.0F - 0x1p-23F;
constexpr double kLowest = -0x1p23;

/// Scaling by a power of two is exact.
[[nodiscard]] bool lies_on_grid(std::span<const float> samples) {
    return std::ranges::all_of(samples, [](float sample) {
        const float steps = sample * kStepsOfFullScale;
        return steps == std::nearbyint(steps);
    });
}

/// Returns the integer in the upper 24 bits.
[[nodiscard]] std::int32_t upper_bits(double steps) {
    return static_cast<std::int32_t>(std::clamp(std::nearbyint(steps), kLowest, kHighest)) * 256;
}

}  // namespace

void Quantizer24::convert(std::span<const float> in, std::span<std::int32_t> out) {
    for (std::size_t begin = 0; begin < in.size(); begin += kPiece) {
        const std::size_t count = std::min(kPiece, in.size() - begin);
        convert_piece(in.subspan(begin, count), out.subspan(begin, count));
    }
}

void Quantizer24::convert_piece(std::span<const float> in, std::span<std::int32_t> out) {
    for (const float sample : in) {
        if (!(sample >= -1.0F && sample <= kHighestSample)) ++clipped_samples_;
    }
    if (lies_on_grid(in)) {
        for (std::size_t i = 0; i < in.size(); ++i) out[i] = upper_bits(static_cast<double>(in[i] * kStepsOfFullScale));
        return;
    }
    // Each of the two is uniform over one step. In double, because a float has no room below one step of a loud sample.
    first_.render(0.5F, dither_);
    second_.render(0.5F, more_dither_);
    for (std::size_t i = 0; i < in.size(); ++i) {
        const double dither = static_cast<double>(dither_[i]) + static_cast<double>(more_dither_[i]);
        const double steps = static_cast<double>(in[i]) * static_cast<double>(kStepsOfFullScale);
        out[i] = upper_bits(std::isnan(steps) ? 0.0 : steps + dither);
    }
}

}  // namespace rta::io
