// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "rt/annotations.h"

namespace rta::dsp {

/// Kernels process multiples of this number of frames: the smallest block size, and the widest SIMD register in floats.
inline constexpr std::size_t kKernelFrames = 16;

/// Level of a number of samples.
struct Level {
    float peak = 0.0F;            ///< the largest magnitude
    float sum_of_squares = 0.0F;  ///< for a few thousand samples at most, because it is a float
};

/// Sample loops, compiled for one SIMD target. Call them through their wrappers (dsp/gain.h, dsp/ramp.h, dsp/sine.h,
/// dsp/finite.h, dsp/level.h), which describe what they compute. All [any].
///
/// Kernels do not fuse multiplication and addition, so all targets produce the same bits. Exceptions that may differ in
/// the last bit: the sine uses fused multiply-add where available, and `level` computes its sum in one part per SIMD
/// lane. `frames` is a multiple of kKernelFrames. Pointers need no alignment; an output may be the input
/// unless stated otherwise.
struct Kernels {
    const char* target;  ///< name of the target; see simd_targets()

    /// out = value
    void (*fill)(float value, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// out = in * factor
    void (*scale)(const float* in, float factor, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// out = in * factors, one per frame
    void (*scale_ramped)(const float* in, const float* factors, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// sum += in * factor
    void (*add_scaled)(const float* in, float factor, float* sum, std::size_t frames) RTA_NONBLOCKING;
    /// sum += in * factors, one per frame
    void (*add_scaled_ramped)(const float* in, const float* factors, float* sum, std::size_t frames) RTA_NONBLOCKING;
    /// out = start + step * elapsed, start + step * (elapsed + 1), ...; computed in double. `elapsed` is an integer.
    void (*linear_ramp)(float start, double step, double elapsed, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// out = start * 2^(step * elapsed), start * 2^(step * (elapsed + 1)), ...; computed in double with exp2() of
    /// dsp/math.h
    void (*logarithmic_ramp)(float start, double step, double elapsed, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// out = ins[0] * factors[0] + ins[1] * factors[1] + ..., from left to right. `count` > 0; `out` must not be one of
    /// `ins`.
    void (*sum_scaled)(const float* const* ins, const float* factors, std::size_t count, float* out,
                       std::size_t frames) RTA_NONBLOCKING;
    /// out[n] = taps[0] * in[n] + taps[1] * in[n + 1] + ..., from left to right. `in` has count - 1 samples more
    /// than `frames`. `count` > 0; `out` must not overlap `in`.
    void (*fir)(const float* in, const float* taps, std::size_t count, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// See dsp/soft_clip.h. Reads in[-1]; `out` must not overlap `in`.
    void (*soft_clip)(const float* in, float knee, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// out = factor * sine; phase and increment in 2^-64 cycles
    void (*sine)(std::uint64_t phase, std::uint64_t increment, float factor, float* out,
                 std::size_t frames) RTA_NONBLOCKING;
    /// out = factors * sine of phases, one per frame; phases in 2^-32 cycles
    void (*sine_of_phases)(const std::uint32_t* phases, const float* factors, float* out,
                           std::size_t frames) RTA_NONBLOCKING;
    /// line = flushed(in + wet * feedback); out = in * (1 - mix) + wet * mix. `out` may be `in`.
    void (*feed_back)(const float* in, const float* wet, float feedback, float mix, float* line, float* out,
                      std::size_t frames) RTA_NONBLOCKING;
    /// Returns peak and sum of squares; NaN and infinity count as 0.
    Level (*level)(const float* in, std::size_t frames) RTA_NONBLOCKING;
    /// out = in, with 0 for NaN and infinity
    void (*finite_or_zero)(const float* in, float* out, std::size_t frames) RTA_NONBLOCKING;
    /// Returns true if no sample is NaN or infinite.
    bool (*all_finite)(const float* in, std::size_t frames) RTA_NONBLOCKING;
};

namespace detail {
/// Kernels of the target in use: a copy of its table, so that a call needs one load only. Written by use_simd_target()
/// only, while no audio thread is running.
extern Kernels g_kernels;
}  // namespace detail

/// Returns the kernels of the target in use.
[[nodiscard]] inline const Kernels& kernels() RTA_NONBLOCKING { return detail::g_kernels; }

}  // namespace rta::dsp
