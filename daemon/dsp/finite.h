// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>
#include <span>

#include "dsp/kernels.h"
#include "rt/annotations.h"

/// Block lengths are multiples of kKernelFrames. All [any].
namespace rta::dsp {

/// Returns true if no sample is NaN or infinite.
[[nodiscard]] inline bool all_finite(std::span<const float> samples) RTA_NONBLOCKING {
    assert(samples.size() % kKernelFrames == 0);
    return kernels().all_finite(samples.data(), samples.size());
}

/// Computes out = in, with 0 for NaN and infinity. `out` may be `in`.
inline void finite_or_zero(std::span<const float> in, std::span<float> out) RTA_NONBLOCKING {
    assert(out.size() % kKernelFrames == 0 && in.size() == out.size());
    kernels().finite_or_zero(in.data(), out.data(), out.size());
}

}  // namespace rta::dsp
