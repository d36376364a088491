// SPDX-License-Identifier: MIT
#pragma once

#include <complex>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/filter_kernels.h"
#include "rt/annotations.h"

/// Second-order sections with the responses of Robert Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter
/// coefficients", built as state-variable filters by trapezoidal integration: Andrew Simper, "Solving the continuous
/// SVF equations using trapezoidal integration and equivalent currents" (Cytomic, 2013), whose mixtures of input,
/// band-pass and low-pass give exactly the cookbook's transfer functions; the structure is that of Vadim Zavalishin,
/// "The Art of VA Filter Design" (2018), chapters 3 and 4.
///
/// Both integrators lose or keep energy but never make any, whatever frequency and Q do from one frame to the next: the
/// matrix that leads from states to states is the Cayley transform of a dissipative one, so its norm is at most 1
/// (Aaron Wishnick, "Time-varying filters for musical applications", DAFx-14). No modulation makes them unstable, and
/// as the states are continuous, none makes them click.
///
/// A band-pass of constant peak, and what is made of it (notch, all-pass, peak), is driven with 1 / Q and not
/// multiplied by it: it then holds its input and not Q times that, which would come out when Q falls faster than it
/// drains. Of these kinds and the high-pass, the first integrator's feed, drive * input - k * band-pass - low-pass,
/// stays as it was when drive and k change, and the second state gives way: a high-pass is that feed, and what a slow
/// input makes of the second state is in proportion to the drive. Band-pass and feed are a pair of states with the same
/// dissipative matrix, so this makes no energy either.
///
/// At rest a section computes 8 or 16 frames at once (block state-space): what the frames' inputs answer does not wait
/// for the frames before, and only the two states go from one such step to the next. On the move it goes frame by
/// frame.
namespace rta::dsp {

/// What tells how wide a section is.
enum class FilterWidth : std::uint8_t {
    q,
    bandwidth,  ///< in octaves: between -3 dB of a band-pass or notch, between half the dB of a peak
    slope,      ///< of a shelf: 1 is as steep as it gets without a hump
};

/// What of a section never changes.
struct FilterShape {
    FilterKind kind = FilterKind::lowpass;
    FilterWidth width = FilterWidth::q;
};

/// What of a section may change.
struct FilterValues {
    float frequency_hz;
    float width;  ///< as the shape says
    float gain_db;

    [[nodiscard]] bool operator==(const FilterValues&) const = default;
};

/// A bandwidth or a slope that asks for less counts as this Q: see docs/decisions/0005-filters.md.
inline constexpr float kLeastQ = 0.25F;

/// Of a section at rest. Frequencies count as at most kMaximumHalfCycles / 2 of the sample rate. Computed in double;
/// each number is off by one rounding to float. [any]
[[nodiscard]] BiquadCoefficients biquad_coefficients(const FilterShape& shape, const FilterValues& values,
                                                     double sample_rate_hz) RTA_NONBLOCKING;

/// What sections in series make of sines, written to `responses`, one for each of `frequencies_hz`: computed, in
/// double, from the float coefficients with the kernels' steps of now. [control]
void cascade_response(std::span<const BiquadCoefficients> sections, double sample_rate_hz,
                      std::span<const double> frequencies_hz, std::span<std::complex<double>> responses);

/// A value during one block: at rest where `ramp` is nullptr, else one a frame and `value` is not looked at.
struct FilterCourse {
    float value = 0.0F;
    const float* ramp = nullptr;
};

/// What of a section may change, during one block.
struct FilterMotion {
    FilterCourse frequency_hz;
    FilterCourse width;
    FilterCourse gain_db;
};

/// Second-order sections one after the other, in each of several channels.
class BiquadCascade {
 public:
    /// [control]
    BiquadCascade(std::span<const FilterShape> shapes, std::uint32_t channel_count, double sample_rate_hz,
                  std::uint32_t block_size);

    /// One block: a motion for each section, as many channels as there are, `block_size` frames. Channel n of `out` may
    /// be channel n of `in`. [audio]
    void process(std::span<const FilterMotion> motions, const AudioReadView& in,
                 const AudioWriteView& out) RTA_NONBLOCKING;

 private:
    [[nodiscard]] bool rest(std::size_t section, const FilterMotion& motion) RTA_NONBLOCKING;
    void process_moving(std::span<const FilterMotion> motions, const AudioReadView& in,
                        const AudioWriteView& out) RTA_NONBLOCKING;
    void settle(std::size_t section, const FilterValues& values) RTA_NONBLOCKING;
    void move(std::size_t section, const FilterMotion& motion, std::uint32_t channels,
              std::uint32_t frames) RTA_NONBLOCKING;
    [[nodiscard]] BiquadRamp design_ramp(std::size_t section, const FilterMotion& motion) RTA_NONBLOCKING;

    std::vector<BiquadCoefficients> sections_;  ///< of values_
    std::vector<BiquadState> states_;           ///< channels x sections
    std::vector<FilterValues> values_;          ///< those of which sections_ were computed; NaN: of none
    std::vector<BiquadFeed> feeds_;             ///< of the last frame; without a drive where there was none
    std::vector<FilterShape> shapes_;
    double sample_rate_hz_;
    std::uint32_t block_size_;
    std::vector<float> scratch_;  ///< rows of a block each, for a section on the move
    std::vector<const float*> ins_;
    std::vector<float*> outs_;
};

}  // namespace rta::dsp
