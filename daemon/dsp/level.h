// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "rt/annotations.h"

namespace rta::dsp {

/// Of some samples: what a meter needs to know of them.
struct Level {
    float peak = 0.0F;            ///< the largest magnitude
    float sum_of_squares = 0.0F;  ///< of a few thousand samples at most: it is a float
};

/// NaN and infinity count as 0. The length is a multiple of 8.
[[nodiscard]] Level measure_level(std::span<const float> samples) RTA_NONBLOCKING;

}  // namespace rta::dsp
