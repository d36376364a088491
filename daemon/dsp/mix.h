// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "rt/annotations.h"

/// Sums of signals. Product and sum are rounded one after the other (never fused), so that every target gives the same
/// bits. All spans of a call have the same length; they must not overlap, unless they are the same.
namespace rta::dsp {

inline void scale(std::span<const float> in, float gain, std::span<float> out) RTA_NONBLOCKING {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = in[i] * gain;
}

inline void scale(std::span<const float> in, std::span<const float> gains, std::span<float> out) RTA_NONBLOCKING {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = in[i] * gains[i];
}

inline void add(std::span<const float> in, std::span<float> sum) RTA_NONBLOCKING {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += in[i];
}

inline void add_scaled(std::span<const float> in, float gain, std::span<float> sum) RTA_NONBLOCKING {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += in[i] * gain;
}

inline void add_scaled(std::span<const float> in, std::span<const float> gains, std::span<float> sum) RTA_NONBLOCKING {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += in[i] * gains[i];
}

/// True if every sample is a number: no NaN, no infinity.
[[nodiscard]] inline bool all_finite(std::span<const float> samples) RTA_NONBLOCKING {
    // 0 * x is 0 for every finite x and NaN for all others, and NaN survives the sum.
    float sum = 0.0F;
    for (const float sample : samples) sum += 0.0F * sample;
    return sum == 0.0F;
}

}  // namespace rta::dsp
