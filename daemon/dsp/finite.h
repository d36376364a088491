// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>
#include <span>

#include "dsp/kernels.h"
#include "rt/annotations.h"

/// Blocks are multiples of kKernelFrames long. All [any].
namespace rta::dsp {

/// True if every sample is a number: no NaN, no infinity.
[[nodiscard]] inline bool all_finite(std::span<const float> samples) RTA_NONBLOCKING {
    assert(samples.size() % kKernelFrames == 0);
    return kernels().all_finite(samples.data(), samples.size());
}

/// out = in, or 0 where that is NaN or infinite. `out` may be `in`.
inline void finite_or_zero(std::span<const float> in, std::span<float> out) RTA_NONBLOCKING {
    assert(out.size() % kKernelFrames == 0 && in.size() == out.size());
    kernels().finite_or_zero(in.data(), out.data(), out.size());
}

}  // namespace rta::dsp
