// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>
#include <cstddef>
#include <span>

#include "dsp/kernels.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Soft-clips in place: linear up to `knee`, 0 <= knee < 1, then approaching 1. For |x| > knee, with d = |x| - knee,
///
///     |y| = knee + d / sqrt(1 + (d / (1 - knee))^2)
///
/// Slope and curvature are continuous at the knee, so that harmonics fall by at least 24 dB per octave. samples.size()
/// is a multiple of kKernelFrames. [any]
inline void soft_clip(std::span<float> samples, float knee) RTA_NONBLOCKING {
    assert(samples.size() % kKernelFrames == 0);
    kernels().soft_clip(samples.data(), knee, samples.data(), samples.size());
}

}  // namespace rta::dsp
