// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "rt/annotations.h"

/// A gain over one block is given as a factor, or as a ramp: `ramp` is nullptr, and then `factor` holds for every
/// frame, or it points to one factor a frame, and then `factor` is not looked at.
namespace rta::dsp {

/// out = in * gain. A factor of exactly 1 leaves every bit as it was, a factor of 0 gives exactly 0. `out` may be `in`.
void scale(std::span<const float> in, float factor, const float* ramp, std::span<float> out) RTA_NONBLOCKING;

/// sum += in * gain. A factor of exactly 1 adds the samples as they are.
void add_scaled(std::span<const float> in, float factor, const float* ramp, std::span<float> sum) RTA_NONBLOCKING;

}  // namespace rta::dsp
