// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <complex>
#include <span>

#include "dsp/filter_kernels.h"
#include "rt/annotations.h"

/// The way from the parameters of a second-order section to the coefficients of the kernels, and its response.
namespace rta::dsp {

/// A section with constant parameters in Simper's notation (see dsp/biquad.h): g is the gain of the integrators, k =
/// 1 / Q, a1 = 1 / (1 + g (g + k)), a2 = g a1, a3 = g a2. The input of the integrators is drive * input, and the output
/// m0 * input + m1 * band-pass + m2 * low-pass.
struct SectionDesign {
    double a1;
    double a2;
    double a3;
    double k;
    double drive = 1.0;
    double m0 = 1.0;
    double m1 = 0.0;
    double m2 = 0.0;
};

/// A section as a system of two states s: each frame, the output is through * x + from . s, and then s becomes advance *
/// s + into * x. Equal rows of `advance` are equal states, so a section may change from one system to another.
struct StateSpace {
    std::array<double, 4> advance;  ///< 2 x 2, row by row
    std::array<double, 2> into;
    std::array<double, 2> from;
    double through;
};

/// Returns the system in which the states hold the input, and the mixture follows them. When the mixture changes, the
/// output changes immediately. [any]
[[nodiscard]] StateSpace mixed_after(const SectionDesign& design) RTA_NONBLOCKING;
/// Returns the system of the same transfer function in which the mixture comes before the states: the output is m0 *
/// input + low-pass. When the mixture changes, what the states hold keeps its level: lowering the corner of a large gain
/// does not amplify what a higher corner has stored. Needs a drive of 1. [any]
[[nodiscard]] StateSpace mixed_before(const SectionDesign& design) RTA_NONBLOCKING;

/// Returns the frequency in half cycles per frame, at most kMaximumHalfCycles. Half a cycle is an angle of pi. [any]
[[nodiscard]] double half_cycles_of(double frequency_hz, double sample_rate_hz) RTA_NONBLOCKING;

/// Returns a section whose g is that of the frequency times `g_factor`, without a mixture. [any]
[[nodiscard]] SectionDesign section_at(double frequency_hz, double sample_rate_hz, double k,
                                       double g_factor = 1.0) RTA_NONBLOCKING;

/// Returns the coefficients for the kernels, without a feed. Computed in double; each number is rounded to float once.
/// [any]
[[nodiscard]] BiquadCoefficients section_coefficients(const StateSpace& system) RTA_NONBLOCKING;

/// Writes the complex frequency response of sections in series to `responses`, one for each of `frequencies_hz`.
/// Computed in double from the float coefficients and the step size of the kernels in use. [control]
void cascade_response(std::span<const BiquadCoefficients> sections, double sample_rate_hz,
                      std::span<const double> frequencies_hz, std::span<std::complex<double>> responses);

}  // namespace rta::dsp
