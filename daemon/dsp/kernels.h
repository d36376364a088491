// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "rt/annotations.h"

namespace rta::dsp {

/// Kernels take frames in multiples of this: the smallest block, and the widest SIMD register there is.
inline constexpr std::size_t kKernelFrames = 16;

/// Of some samples: what a meter needs to know of them.
struct Level {
    float peak = 0.0F;            ///< the largest magnitude
    float sum_of_squares = 0.0F;  ///< of a few thousand samples at most: it is a float
};

/// The loops over samples, compiled for one SIMD target. To be called through the functions that wrap them (dsp/gain.h,
/// dsp/sine.h, dsp/finite.h, dsp/level.h), which say what they compute. All [any].
///
/// They multiply and add without fusing the two, so that every target gives the same bits; only the sine fuses them,
/// where the target can, and may differ in the last bit, as may the sum of `level`, which is taken in as many parts as
/// a register has lanes. `frames` is a multiple of kKernelFrames. Pointers need no alignment; an output may be the
/// input of the same frames.
struct Kernels {
    const char* target;  ///< see simd_targets()

    /// out = value
    void (*fill)(float value, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// out = in * factor
    void (*scale)(const float* in, float factor, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// out = in * factors, one a frame
    void (*scale_ramped)(const float* in, const float* factors, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// sum += in * factor
    void (*add_scaled)(const float* in, float factor, float* sum, std::size_t frames) RTA_NONBLOCKING;
    /// sum += in * factors, one a frame
    void (*add_scaled_ramped)(const float* in, const float* factors, float* sum, std::size_t frames) RTA_NONBLOCKING;
    /// out = ins[0] * factors[0] + ins[1] * factors[1] + ..., from left to right. `count` > 0; `out` is none of `ins`.
    void (*sum_scaled)(const float* const* ins, const float* factors, std::size_t count, float* out,
                       std::size_t frames) RTA_NONBLOCKING;
    /// out[n] = taps[0] * in[n] + taps[1] * in[n + 1] + ..., from left to right; `in` holds count - 1 more than
    /// `frames`. `count` > 0; `out` does not overlap `in`.
    void (*fir)(const float* in, const float* taps, std::size_t count, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// See dsp/soft_clip.h; `out` may be `in`.
    void (*soft_clip)(const float* in, float knee, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// out = factor * sine; phase and increment in 2^-64 cycles
    void (*sine)(std::uint64_t phase, std::uint64_t increment, float factor, float* out,
                 std::size_t frames) RTA_NONBLOCKING;
    /// out = factors * sine of phases, one a frame; phases in 2^-32 cycles
    void (*sine_of_phases)(const std::uint32_t* phases, const float* factors, float* out,
                           std::size_t frames) RTA_NONBLOCKING;
    /// line = in + wet * feedback, or 0 where flushed() is; out = in * (1 - mix) + wet * mix. `out` may be `in`.
    void (*feed_back)(const float* in, const float* wet, float feedback, float mix, float* line, float* out,
                      std::size_t frames) RTA_NONBLOCKING;
    /// NaN and infinity count as 0.
    Level (*level)(const float* in, std::size_t frames) RTA_NONBLOCKING;
    /// out = in, or 0 where that is NaN or infinite
    void (*finite_or_zero)(const float* in, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// True if no sample is NaN or infinite.
    bool (*all_finite)(const float* in, std::size_t frames) RTA_NONBLOCKING;
};

namespace detail {
/// Those of the target in use: a copy of its table, so that a call finds its kernel with one load. Written by
/// use_simd_target() alone, while there is no audio thread.
extern Kernels g_kernels;
}  // namespace detail

/// The kernels of the target in use.
[[nodiscard]] inline const Kernels& kernels() RTA_NONBLOCKING { return detail::g_kernels; }

}  // namespace rta::dsp
