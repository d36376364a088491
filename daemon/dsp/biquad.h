// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/filter_kernels.h"
#include "dsp/section_design.h"
#include "rt/annotations.h"

/// Second-order sections with the responses of Robert Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter
/// coefficients", built as state-variable filters by trapezoidal integration: Andrew Simper, "Solving the continuous
/// SVF equations using trapezoidal integration and equivalent currents" (Cytomic, 2013), whose mixtures of input,
/// band-pass and low-pass give exactly the cookbook's transfer functions; the structure is that of Vadim Zavalishin,
/// "The Art of VA Filter Design" (2018), chapters 3 and 4.
///
/// The integrators never add energy, however frequency and Q change from one frame to the next: the state matrix is the
/// Cayley transform of a dissipative matrix, so its norm is at most 1 (Aaron Wishnick, "Time-varying filters for
/// musical applications", DAFx-14). No modulation makes a section unstable. The states are continuous, so no modulation
/// makes it click.
///
/// A band-pass of constant peak gain, and the kinds derived from it (notch, all-pass, peaking), are driven with 1 / Q
/// instead of multiplied by it: the states then hold the input and not Q times the input, which would become audible
/// when Q falls faster than the section decays. Q is that of the poles: for a peak, it depends on the gain. In these
/// kinds and the high-pass, the feed of the first integrator, drive * input - k * band-pass - low-pass, is kept when
/// drive and k change, and the second state is adjusted instead: the output of a high-pass is that feed, and the second
/// state for a slow input is proportional to the drive. Band-pass and feed are a pair of states with the same
/// dissipative matrix, so this adds no energy either.
///
/// A kind of first order is such a section with two equal poles, one of which cancels a zero: see kFirstOrderK. Its
/// shelves are (s + A) / (s + 1 / A) and its inverse in frequency, with A as in the cookbook.
///
/// All of this holds for Q from kLeastQ to kGreatestQ, gains from kLeastFilterGainDb to kGreatestFilterGainDb, and
/// frequencies from 5 Hz to 0.49 of a sample rate of 8 to 768 kHz: responses are within 0.01 dB of the formulas.
///
/// With constant parameters a section computes 8 or 16 frames together (block state-space): the response to the inputs
/// does not depend on previous frames, and only the two states pass from one step to the next. With moving parameters
/// it computes frame by frame, and several channels together.
namespace rta::dsp {

/// Parameter that determines the width of a section.
enum class FilterWidth : std::uint8_t {
    q,
    bandwidth,  ///< in octaves: between -3 dB of a band-pass or notch, between half the dB of a peak
    slope,      ///< of a shelf: 1 is the steepest without overshoot
};

/// Fixed properties of a section.
struct FilterShape {
    FilterKind kind = FilterKind::lowpass;
    FilterWidth width = FilterWidth::q;
};

/// Variable parameters of a section.
struct FilterValues {
    float frequency_hz;
    float width;  ///< in the unit of FilterShape::width
    float gain_db;

    [[nodiscard]] bool operator==(const FilterValues&) const = default;
};

/// Range of Q. A bandwidth or a slope that requires a lower Q is treated as kLeastQ.
inline constexpr float kLeastQ = 0.05F;
inline constexpr float kGreatestQ = 100.0F;
/// Range of the gain of a peak or a shelf.
inline constexpr float kLeastFilterGainDb = -60.0F;
inline constexpr float kGreatestFilterGainDb = 40.0F;

/// Returns the coefficients of a section with constant parameters. Frequencies are limited to kMaximumHalfCycles / 2 of
/// the sample rate. Computed in double; each number is rounded to float once. [any]
[[nodiscard]] BiquadCoefficients biquad_coefficients(const FilterShape& shape, const FilterValues& values,
                                                     double sample_rate_hz) RTA_NONBLOCKING;

/// Value during one block. If `ramp` is nullptr, `value` holds for every frame; otherwise `ramp` has one value per
/// frame and `value` is ignored.
struct FilterCourse {
    float value = 0.0F;
    const float* ramp = nullptr;
};

/// Parameters of a section during one block.
struct FilterMotion {
    FilterCourse frequency_hz;
    FilterCourse width;
    FilterCourse gain_db;
};

/// Second-order sections in series, for each of several channels.
class BiquadCascade {
 public:
    /// [control]
    BiquadCascade(std::span<const FilterShape> shapes, std::uint32_t channel_count, double sample_rate_hz,
                  std::uint32_t block_size);

    /// Processes one block: one motion per section, all channels, `block_size` frames. Channel n of `out` may be
    /// channel n of `in`. [audio]
    void process(std::span<const FilterMotion> motions, const AudioReadView& in,
                 const AudioWriteView& out) RTA_NONBLOCKING;

 private:
    [[nodiscard]] bool rest(std::size_t section, const FilterMotion& motion) RTA_NONBLOCKING;
    void process_moving(std::span<const FilterMotion> motions, const AudioReadView& in,
                        const AudioWriteView& out) RTA_NONBLOCKING;
    void settle(std::size_t section, const FilterValues& values) RTA_NONBLOCKING;
    void move(std::size_t section, const FilterMotion& motion, float* samples, std::uint32_t channels,
              std::uint32_t frames) RTA_NONBLOCKING;
    [[nodiscard]] BiquadRamp design_ramp(std::size_t section, const FilterMotion& motion) RTA_NONBLOCKING;

    std::vector<BiquadCoefficients> sections_;  ///< for values_
    std::vector<BiquadState> states_;           ///< channels x sections
    std::vector<FilterValues> values_;          ///< for which sections_ was computed; NaN: none
    std::vector<BiquadFeed> feeds_;             ///< of the last frame; drive 0 without one
    std::vector<FilterShape> shapes_;
    double sample_rate_hz_;
    std::uint32_t block_size_;
    std::vector<float> scratch_;      ///< rows of one block each, for a section with moving parameters
    std::vector<float> interleaved_;  ///< one block of all channels; empty if there is one channel
    std::vector<const float*> ins_;
    std::vector<float*> outs_;
};

}  // namespace rta::dsp
