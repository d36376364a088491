// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rt/annotations.h"
#include "rt/cache_line.h"

namespace rta::dsp {

/// What a second-order section does with its spectrum: those of the Audio EQ Cookbook, and two that crossovers need.
enum class FilterKind : std::uint8_t {
    lowpass,
    highpass,
    bandpass_skirt,  ///< skirts of constant gain; the peak's gain is q
    bandpass_peak,   ///< a peak of 0 dB
    notch,
    allpass,
    peaking,
    low_shelf,
    high_shelf,
    inverted_highpass,
    lowpass_less_highpass,  ///< with q 0.5 an all-pass of the first order
};

/// Sections whose first integrator's feed stays as it was when drive and k change: see dsp/biquad.h.
[[nodiscard]] constexpr bool keeps_feed(FilterKind kind) RTA_NONBLOCKING {
    switch (kind) {
        case FilterKind::highpass:
        case FilterKind::bandpass_peak:
        case FilterKind::notch:
        case FilterKind::allpass:
        case FilterKind::peaking:
        case FilterKind::inverted_highpass:
            return true;
        case FilterKind::lowpass:
        case FilterKind::bandpass_skirt:
        case FilterKind::low_shelf:
        case FilterKind::high_shelf:
        case FilterKind::lowpass_less_highpass:
            return false;
    }
    return false;
}

/// What the first integrator of a section is fed with: drive * input - k * band-pass - low-pass.
struct BiquadFeed {
    float drive = 0.0F;
    float k = 0.0F;
};

/// Frequencies go up to this many half cycles a frame (1 is half the sample rate, where all kinds degenerate).
inline constexpr float kMaximumHalfCycles = 0.99F;

/// A second-order section at rest, as the kernels run it: `kFrames` frames at once, from the state before them.
struct alignas(kCacheLine) BiquadCoefficients {
    static constexpr std::size_t kFrames = 16;

    /// kFrames zeros, then the impulse response: kFrames samples from any place in it on are a column of the matrix
    /// that leads from input to output.
    float impulse[2 * kFrames];
    float from_state_1[kFrames];  ///< what 1 in the first state adds to the output, frame by frame
    float from_state_2[kFrames];
    float to_state_1[kFrames];  ///< what 1 in the input adds to the first state after the last frame, frame by frame
    float to_state_2[kFrames];
    /// What the states become without input, less what they are (the matrix's rows one after the other). Near 0 Hz the
    /// states hardly change within a block: less themselves, the change keeps all its digits.
    float advance_8[4];   ///< after 8 frames
    float advance_16[4];  ///< after 16
    BiquadFeed feed;      ///< for a section that sets out from here
};

/// The states of a section in one channel: twice the values that its two integrators reach less their inputs, as
/// Simper's `ic1eq` and `ic2eq`.
struct BiquadState {
    float s1 = 0.0F;
    float s2 = 0.0F;
};

/// A section on the move: its coefficients frame by frame, each row as long as the block.
struct BiquadRamp {
    BiquadFeed before;  ///< of the frame before the first one; where the feed is kept
    float* drive;       ///< nullptr if it is 1, and the feed not kept
    float* a2;
    float* a3;
    float* k;
    float* m0;
    float* m1;
    float* m2;
};

/// The loops of filters, compiled for one SIMD target; dsp/biquad.h says what they compute. All [any].
///
/// Targets that have a fused multiply-add use it in run() and design(): so targets differ, by roundings.
/// `frames` is a multiple of kKernelFrames. An output may be the input.
struct FilterKernels {
    /// Frames that run() advances the states by: 8 or 16.
    std::size_t chunk_frames;

    /// `count` sections at rest, one after the other, over one channel.
    void (*run)(const BiquadCoefficients* sections, BiquadState* states, std::size_t count, const float* in, float* out,
                std::size_t frames) RTA_NONBLOCKING;
    /// Coefficients of a section on the move, from a frequency, a Q and a gain for each frame. `half_cycles_per_hz` is
    /// 2 / sample rate.
    void (*design)(FilterKind kind, float half_cycles_per_hz, const float* frequency_hz, const float* q,
                   const float* gain_db, const BiquadRamp& ramp, std::size_t frames) RTA_NONBLOCKING;
    /// A section on the move over several channels. The state of channel n is
    /// states[n * stride].
    void (*run_ramp)(const BiquadRamp& ramp, BiquadState* states, std::size_t stride, const float* const* ins,
                     float* const* outs, std::size_t channels, std::size_t frames) RTA_NONBLOCKING;
};

namespace detail {
/// Those of the target in use, as detail::g_kernels.
extern FilterKernels g_filter_kernels;
/// use_simd_target()'s: `target` is one of simd_targets().
void use_filter_kernels(std::string_view target);
}  // namespace detail

/// The kernels of the target in use.
[[nodiscard]] inline const FilterKernels& filter_kernels() RTA_NONBLOCKING { return detail::g_filter_kernels; }

}  // namespace rta::dsp
