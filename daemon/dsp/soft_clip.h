// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>
#include <cstddef>
#include <span>

#include "dsp/kernels.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Soft-clips: linear up to `knee`, 0 <= knee < 1, then approaching 1. For |x| > knee, with d = |x| - knee,
///
///     |y| = knee + d / sqrt(1 + (d / (1 - knee))^2)
///
/// Slope and curvature are continuous at the knee. out[n] is the mean of the curve over the straight line from in[n - 1]
/// to in[n], which attenuates what the sample rate cannot hold before it becomes an alias: antiderivative antialiasing
/// (J. Parker, V. Zavalishin and E. Le Bivic, "Reducing the aliasing of nonlinear waveshaping using continuous-time
/// convolution", DAFx 2016). The mean is half a frame late, and is (in[n - 1] + in[n]) / 2 below the knee.
///
/// `in` starts one frame before the frames to process; out.size() is a multiple of kKernelFrames. [any]
inline void soft_clip(std::span<const float> in, float knee, std::span<float> out) RTA_NONBLOCKING {
    assert(in.size() == out.size() + 1 && out.size() % kKernelFrames == 0);
    kernels().soft_clip(in.data() + 1, knee, out.data(), out.size());
}

}  // namespace rta::dsp
