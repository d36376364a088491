// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "dsp/kernels.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Returns peak and sum of squares of `samples`. NaN and infinity count as 0. The length is a multiple of
/// kKernelFrames. [any]
[[nodiscard]] inline Level measure_level(std::span<const float> samples) RTA_NONBLOCKING {
    return kernels().level(samples.data(), samples.size());
}

}  // namespace rta::dsp
