// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dsp/biquad.h"

/// Butterworth and Linkwitz-Riley filters as sections in series. A Butterworth filter of order n has the poles of
/// equal angles on a circle: sections with Q = 1 / (2 cos(angle)), and one section of first order if n is odd. A
/// Linkwitz-Riley filter of order 2n is two Butterworth filters of order n in series (Siegfried Linkwitz, "Active
/// crossover networks for noncoincident drivers", JAES 24, 1976).
namespace rta::dsp {

/// One section of a filter whose sections share a corner frequency.
struct FixedSection {
    FilterKind kind;
    float q;  ///< 1/2 for kinds of first order, which ignore it

    [[nodiscard]] bool operator==(const FixedSection&) const = default;
};
using FixedSections = std::vector<FixedSection>;

enum class Pass : std::uint8_t { low, high };

/// Returns the sections for an order from 1 to 8, the lowest Q first. [any]
[[nodiscard]] FixedSections butterworth_sections(Pass pass, std::uint32_t order);
/// Returns the sections for order 2, 4, 6 or 8. [any]
[[nodiscard]] FixedSections linkwitz_riley_sections(Pass pass, std::uint32_t order);
/// Returns the sections of the all-pass that is the sum of the low-pass and the high-pass of this order, the high-pass
/// inverted if the order is 2 or 6. [any]
[[nodiscard]] FixedSections linkwitz_riley_sum(std::uint32_t order);

/// Returns the coefficients of all sections. [control]
[[nodiscard]] std::vector<BiquadCoefficients> coefficients_of(std::span<const FixedSection> sections,
                                                              float frequency_hz, double sample_rate_hz);

/// Runs sections in series with a common corner frequency.
class CornerFilter {
 public:
    /// [control]
    CornerFilter(std::span<const FixedSection> sections, std::uint32_t channel_count, double sample_rate_hz,
                 std::uint32_t block_size);

    /// Processes one block, as BiquadCascade. [audio]
    void process(const FilterCourse& frequency_hz, const AudioReadView& in, const AudioWriteView& out) RTA_NONBLOCKING;

 private:
    std::vector<FilterMotion> motions_;
    BiquadCascade cascade_;
};

}  // namespace rta::dsp
