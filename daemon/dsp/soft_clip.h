// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>
#include <cstddef>
#include <span>

#include "dsp/kernels.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// A straight line up to `knee`, 0 <= knee < 1, that bends towards 1 and never gets there: with d = |x| - knee beyond
/// it,
///
///     |y| = knee + d / sqrt(1 + (d / (1 - knee))^2)
///
/// Slope and curvature are those of the line at the knee, so that harmonics fall by 24 dB an octave at least. In place;
/// samples.size() is a multiple of kKernelFrames. [any]
inline void soft_clip(std::span<float> samples, float knee) RTA_NONBLOCKING {
    assert(samples.size() % kKernelFrames == 0);
    kernels().soft_clip(samples.data(), knee, samples.data(), samples.size());
}

}  // namespace rta::dsp
