// SPDX-License-Identifier: MIT
#include "dsp/butterworth.h"

#include "dsp/math.h"

namespace rta::dsp {
namespace {

std::vector<FilterShape> shapes_of(std::span<const FixedSection> sections) {
    std::vector<FilterShape> shapes;
    for (const FixedSection& section : sections) shapes.push_back({.kind = section.kind});
    return shapes;
}

std::vector<FilterMotion> motions_of(std::span<const FixedSection> sections) {
    std::vector<FilterMotion> motions;
    for (const FixedSection& section : sections)
        motions.push_back({.frequency_hz = {}, .width = {section.q}, .gain_db = {}});
    return motions;
}

/// Returns the Q of each pair of complex poles of a Butterworth filter, the lowest first.
std::vector<float> pole_qs(std::uint32_t order) {
    std::vector<float> qs;
    for (std::uint32_t pair = 1; pair <= order / 2; ++pair) {
        // The angle from the negative real axis: odd multiples of 90 degrees / order, or even ones if there is a real
        // pole.
        const std::uint32_t quarters = order % 2 == 0 ? 2 * pair - 1 : 2 * pair;
        const double turns = static_cast<double>(quarters) / (4.0 * static_cast<double>(order));
        qs.push_back(static_cast<float>(0.5 / cosine_of_turns(turns)));
    }
    return qs;
}

}  // namespace

FixedSections butterworth_sections(Pass pass, std::uint32_t order) {
    FixedSections sections;
    if (order % 2 == 1) sections.push_back({pass == Pass::low ? FilterKind::lowpass_1 : FilterKind::highpass_1, 0.5F});
    for (const float q : pole_qs(order))
        sections.push_back({pass == Pass::low ? FilterKind::lowpass : FilterKind::highpass, q});
    return sections;
}

FixedSections linkwitz_riley_sections(Pass pass, std::uint32_t order) {
    const FilterKind kind = pass == Pass::low ? FilterKind::lowpass : FilterKind::highpass;
    FixedSections sections;
    // Two filters of first order are one section with Q = 1/2.
    if (order / 2 % 2 == 1) sections.push_back({kind, 0.5F});
    for (const float q : pole_qs(order / 2)) sections.insert(sections.end(), 2, {kind, q});
    return sections;
}

FixedSections linkwitz_riley_sum(std::uint32_t order) {
    FixedSections sections;
    if (order / 2 % 2 == 1) sections.push_back({FilterKind::allpass_1, 0.5F});
    for (const float q : pole_qs(order / 2)) sections.push_back({FilterKind::allpass, q});
    return sections;
}

std::vector<BiquadCoefficients> coefficients_of(std::span<const FixedSection> sections, float frequency_hz,
                                                double sample_rate_hz) {
    std::vector<BiquadCoefficients> designed;
    for (const FixedSection& section : sections) {
        designed.push_back(
            biquad_coefficients({.kind = section.kind}, {frequency_hz, section.q, 0.0F}, sample_rate_hz));
    }
    return designed;
}

CornerFilter::CornerFilter(std::span<const FixedSection> sections, std::uint32_t channel_count, double sample_rate_hz,
                           std::uint32_t block_size)
    : motions_{motions_of(sections)}, cascade_{shapes_of(sections), channel_count, sample_rate_hz, block_size} {}

void CornerFilter::process(const FilterCourse& frequency_hz, const AudioReadView& in,
                           const AudioWriteView& out) RTA_NONBLOCKING {
    for (FilterMotion& motion : motions_) motion.frequency_hz = frequency_hz;
    cascade_.process(motions_, in, out);
}

}  // namespace rta::dsp
