// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rt/annotations.h"
#include "rt/cache_line.h"

namespace rta::dsp {

/// Responses of sections: those of the Audio EQ Cookbook, of first order, and one for crossovers.
enum class FilterKind : std::uint8_t {
    lowpass,
    highpass,
    bandpass_skirt,  ///< constant skirt gain; the peak gain is Q
    bandpass_peak,   ///< constant peak gain of 0 dB
    notch,
    allpass,
    peaking,
    low_shelf,
    high_shelf,
    lowpass_1,  ///< the kinds with _1 have first order
    highpass_1,
    allpass_1,
    low_shelf_1,
    high_shelf_1,
    inverted_highpass,
};

/// Returns true if the kind has first order, and ignores Q.
[[nodiscard]] constexpr bool is_first_order(FilterKind kind) RTA_NONBLOCKING {
    return kind >= FilterKind::lowpass_1 && kind <= FilterKind::high_shelf_1;
}

/// Returns true if the feed of the first integrator is kept when drive and k change: see dsp/biquad.h.
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
        case FilterKind::lowpass_1:
        case FilterKind::highpass_1:
        case FilterKind::allpass_1:
        case FilterKind::low_shelf_1:
        case FilterKind::high_shelf_1:
            return false;
    }
    return false;
}

/// Parameters of the feed of the first integrator: drive * input - k * band-pass - low-pass.
struct BiquadFeed {
    float drive = 0.0F;
    float k = 0.0F;
};

/// 1 / Q of a first-order kind: (1 + s) / (1 + s)^2 is 1 / (1 + s), so its second-order section has two equal poles, one
/// of which cancels a zero.
inline constexpr double kFirstOrderK = 2.0;

/// Maximum frequency in half cycles per frame. 1 is half the sample rate, where all kinds degenerate.
inline constexpr float kMaximumHalfCycles = 0.99F;

/// Limit of the signal between many sections in series: +80 dB of full scale.
inline constexpr float kLargestBetweenSections = 1e4F;

/// Second-order section with constant parameters, in the form that kernels run: up to `kFrames` frames together, from
/// the state before them.
struct alignas(kCacheLine) BiquadCoefficients {
    static constexpr std::size_t kFrames = 16;

    /// kFrames zeros, then the impulse response. Any kFrames consecutive samples are a column of the input-to-output
    /// matrix.
    float impulse[2 * kFrames];
    float from_state_1[kFrames];  ///< contribution of the first state to the output, per frame
    float from_state_2[kFrames];
    float to_state_1[kFrames];  ///< contribution of each input frame to the first state after the last frame
    float to_state_2[kFrames];
    /// State matrix minus identity, row by row: the change of the states without input. Near 0 Hz the states hardly
    /// change within a block; storing the change preserves its precision.
    float advance_8[4];   ///< after 8 frames
    float advance_16[4];  ///< after 16
    BiquadFeed feed;      ///< initial feed of a section whose parameters start to move
};

/// States of a section in one channel: Simper's `ic1eq` and `ic2eq`, twice the outputs of the integrators minus their
/// previous states.
struct BiquadState {
    float s1 = 0.0F;
    float s2 = 0.0F;
};

/// States below this are set to 0: they are far below any sample, and would become denormals on CPUs that do not flush
/// them.
inline constexpr float kSilentState = 1e-20F;

[[nodiscard]] constexpr float flushed_state(float state) RTA_NONBLOCKING {
    return state < kSilentState && state > -kSilentState ? 0.0F : state;
}

/// Returns the number of floats per frame of interleaved channels: whole vectors of four, unless there is one channel.
[[nodiscard]] constexpr std::size_t interleaved_width(std::size_t channels) RTA_NONBLOCKING {
    return channels == 1 ? 1 : (channels + 3) / 4 * 4;
}

/// Coefficients of a section with moving parameters: rows of one value per frame of the block.
struct BiquadRamp {
    BiquadFeed before;  ///< of the frame before the first one; used if the feed is kept
    float* drive;       ///< nullptr if it is 1 and the feed is not kept
    float* a2;
    float* a3;
    float* k;
    float* m0;
    float* m1;
    float* m2;
};

/// Filter loops, compiled for one SIMD target; dsp/biquad.h describes what they compute. All [any].
///
/// Targets with fused multiply-add use it in run() and design(), so the results of targets differ by rounding errors.
/// The channels of a section have no influence on each other.
/// `frames` is a multiple of kKernelFrames. An output may be the input.
struct FilterKernels {
    /// Number of frames that run() processes per step: 8 or 16.
    std::size_t chunk_frames;

    /// Runs `count` sections with constant parameters in series over one channel.
    void (*run)(const BiquadCoefficients* sections, BiquadState* states, std::size_t count, const float* in, float* out,
                std::size_t frames) RTA_NONBLOCKING;
    /// Limits samples to kLargestBetweenSections; NaN stays NaN. `count` is a multiple of kKernelFrames.
    void (*limit)(float* samples, std::size_t count) RTA_NONBLOCKING;
    /// Computes the coefficients of a section with moving parameters from a frequency, a Q and a gain for each frame.
    /// `half_cycles_per_hz` is 2 / sample rate.
    void (*design)(FilterKind kind, float half_cycles_per_hz, const float* frequency_hz, const float* q,
                   const float* gain_db, const BiquadRamp& ramp, std::size_t frames) RTA_NONBLOCKING;
    /// Interleaves channels, for run_ramp(): interleaved_width() floats for each frame, the spare ones 0.
    void (*interleave)(const float* const* ins, std::size_t channels, float* samples,
                       std::size_t frames) RTA_NONBLOCKING;
    void (*deinterleave)(const float* samples, float* const* outs, std::size_t channels,
                         std::size_t frames) RTA_NONBLOCKING;
    /// Runs a section with moving parameters over interleaved channels, in place. The state of channel n is
    /// states[n * stride].
    void (*run_ramp)(const BiquadRamp& ramp, BiquadState* states, std::size_t stride, float* samples,
                     std::size_t channels, std::size_t frames) RTA_NONBLOCKING;
};

namespace detail {
/// Kernels of the target in use, as detail::g_kernels.
extern FilterKernels g_filter_kernels;
/// Selects the filter kernels; part of use_simd_target(). `target` is one of simd_targets().
void use_filter_kernels(std::string_view target);
}  // namespace detail

/// Returns the filter kernels of the target in use.
[[nodiscard]] inline const FilterKernels& filter_kernels() RTA_NONBLOCKING { return detail::g_filter_kernels; }

}  // namespace rta::dsp
