// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dsp/kernels.h"
#include "rt/annotations.h"

/// The gain during one block is a factor or a ramp. If `ramp` is nullptr, `factor` holds for every frame; otherwise
/// `ramp` has one factor per frame and `factor` is ignored.
///
/// Block lengths are multiples of kKernelFrames. All [any].
namespace rta::dsp {

namespace detail {
// Bit comparisons need no NaN handling, which saves two instructions.
inline bool is_one(float value) RTA_NONBLOCKING {
    return std::bit_cast<std::uint32_t>(value) == std::bit_cast<std::uint32_t>(1.0F);
}
inline bool is_zero(float value) RTA_NONBLOCKING { return (std::bit_cast<std::uint32_t>(value) << 1U) == 0; }
}  // namespace detail

/// Computes out = value with stores as wide as the vectors that read the samples next: on Zen 5, loading 64 bytes from
/// four stores of 16 bytes takes several times as long as from one store.
inline void fill(float value, std::span<float> out) RTA_NONBLOCKING {
    assert(out.size() % kKernelFrames == 0);
    kernels().fill(value, out.data(), out.size());
}

/// Copies `in` to `out`, which may be `in`.
inline void copy(std::span<const float> in, std::span<float> out) RTA_NONBLOCKING {
    assert(in.size() == out.size());
    if (in.data() != out.data()) std::copy_n(in.data(), out.size(), out.data());
}

/// Computes out = in * gain. A factor of exactly 1 copies bit-exactly; a factor of 0 gives exactly 0. `out` may be
/// `in`.
inline void scale(std::span<const float> in, float factor, const float* ramp, std::span<float> out) RTA_NONBLOCKING {
    assert(out.size() % kKernelFrames == 0 && in.size() == out.size());
    if (ramp != nullptr) {
        kernels().scale_ramped(in.data(), ramp, out.data(), out.size());
    } else if (detail::is_one(factor)) {
        copy(in, out);
    } else if (detail::is_zero(factor)) {
        fill(0.0F, out);  // not a product: 0 even if the input is not finite, and never -0
    } else {
        kernels().scale(in.data(), factor, out.data(), out.size());
    }
}

/// Computes sum += in * gain. A factor of exactly 1 adds the samples unchanged.
inline void add_scaled(std::span<const float> in, float factor, const float* ramp,
                       std::span<float> sum) RTA_NONBLOCKING {
    assert(sum.size() % kKernelFrames == 0 && in.size() == sum.size());
    if (ramp != nullptr) {
        kernels().add_scaled_ramped(in.data(), ramp, sum.data(), sum.size());
    } else {
        // A product with 1 is exact and needs no special case.
        kernels().add_scaled(in.data(), factor, sum.data(), sum.size());
    }
}

/// Computes out = ins[0] * factors[0] + ins[1] * factors[1] + ..., from left to right. The result is bit-identical to
/// scale() of the first and add_scaled() of the other inputs, except for factors of 0. At least one input; one factor
/// per input; each input is as long as `out`, and none of them is `out`.
inline void sum_scaled(std::span<const float* const> ins, std::span<const float> factors,
                       std::span<float> out) RTA_NONBLOCKING {
    assert(out.size() % kKernelFrames == 0 && !ins.empty() && ins.size() == factors.size());
    kernels().sum_scaled(ins.data(), factors.data(), ins.size(), out.data(), out.size());
}

}  // namespace rta::dsp
