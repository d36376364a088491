// SPDX-License-Identifier: MIT
#include "dsp/section_design.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "dsp/math.h"

namespace rta::dsp {
namespace {

/// 2 x 2, row by row.
using Matrix = std::array<double, 4>;

Matrix product(const Matrix& a, const Matrix& b) RTA_NONBLOCKING {
    return {a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3]};
}

void store_change(const Matrix& power, float (&change)[4]) RTA_NONBLOCKING {
    change[0] = static_cast<float>(power[0] - 1.0);
    change[1] = static_cast<float>(power[1]);
    change[2] = static_cast<float>(power[2]);
    change[3] = static_cast<float>(power[3] - 1.0);
}

using Complex = std::complex<double>;

/// Rotation of a sine after each frame of a kernel step.
struct Turns {
    Turns(std::size_t chunk_frames, double angle) : chunk{chunk_frames} {
        const Complex turn = std::polar(1.0, angle);
        after[0] = 1.0;
        for (std::size_t frame = 0; frame < chunk; ++frame) after[frame + 1] = after[frame] * turn;
    }

    std::size_t chunk;  ///< frames
    std::array<Complex, BiquadCoefficients::kFrames + 1> after;
};

Complex response(const BiquadCoefficients& section, const Turns& turns) {
    constexpr std::size_t kFrames = BiquadCoefficients::kFrames;
    const std::size_t chunk = turns.chunk;

    // Each output of a chunk is rotated back to the start of the chunk: the conjugate of a sum with these rotations.
    // Because of rounding, the frames of a chunk differ slightly; their mean is the response at the frequency.
    Complex into_1 = 0.0;
    Complex into_2 = 0.0;
    Complex from_1 = 0.0;
    Complex from_2 = 0.0;
    Complex through = 0.0;
    for (std::size_t frame = 0; frame < chunk; ++frame) {
        const Complex turned = turns.after[frame];
        into_1 += turned * static_cast<double>(section.to_state_1[kFrames - chunk + frame]);
        into_2 += turned * static_cast<double>(section.to_state_2[kFrames - chunk + frame]);
        from_1 += turned * static_cast<double>(section.from_state_1[frame]);
        from_2 += turned * static_cast<double>(section.from_state_2[frame]);
        // An input `frame` frames ago affects all frames of the chunk except the first `frame`.
        through +=
            turned * (static_cast<double>(section.impulse[kFrames + frame]) * static_cast<double>(chunk - frame));
    }

    // The states before each chunk in the steady state: turned * s = s + change * s + input.
    const auto& change = chunk == 8 ? section.advance_8 : section.advance_16;
    const Complex turn = turns.after[chunk] - 1.0;
    const Complex m11 = turn - static_cast<double>(change[0]);
    const Complex m22 = turn - static_cast<double>(change[3]);
    const double m12 = -static_cast<double>(change[1]);
    const double m21 = -static_cast<double>(change[2]);
    const Complex determinant = m11 * m22 - m12 * m21;
    const Complex s1 = m22 * into_1 - m12 * into_2;
    const Complex s2 = m11 * into_2 - m21 * into_1;
    const Complex states = (s1 * std::conj(from_1) + s2 * std::conj(from_2)) / determinant;
    return (states + std::conj(through)) / static_cast<double>(chunk);
}

}  // namespace

double half_cycles_of(double frequency_hz, double sample_rate_hz) RTA_NONBLOCKING {
    return std::min(2.0 * frequency_hz / sample_rate_hz, static_cast<double>(kMaximumHalfCycles));
}

SectionDesign section_at(double frequency_hz, double sample_rate_hz, double k, double g_factor) RTA_NONBLOCKING {
    const double half_cycles = half_cycles_of(frequency_hz, sample_rate_hz);
    // a1, a2 and a3 from sine and cosine instead of their quotient g, which is unbounded.
    const double s = sine_of_quarters(half_cycles) * g_factor;
    const double c = sine_of_quarters(1.0 - half_cycles);
    const double sum = c * c + k * s * c + s * s;
    return {.a1 = c * c / sum, .a2 = s * c / sum, .a3 = s * s / sum, .k = k};
}

StateSpace mixed_after(const SectionDesign& d) RTA_NONBLOCKING {
    return {.advance = {2.0 * d.a1 - 1.0, -2.0 * d.a2, 2.0 * d.a2, 1.0 - 2.0 * d.a3},
            .into = {d.drive * 2.0 * d.a2, d.drive * 2.0 * d.a3},
            .from = {d.m1 * d.a1 + d.m2 * d.a2, d.m2 * (1.0 - d.a3) - d.m1 * d.a2},
            .through = d.m0 + d.drive * (d.m1 * d.a2 + d.m2 * d.a3)};
}

// With the inputs alpha and beta of the integrators, s v1 = alpha x - k v1 - v2 and s v2 = v1 + beta x, so v2 is (beta (s
// + k) + alpha) / (s^2 + k s + 1) times x: beta = m1 and alpha = m2 - k m1.
StateSpace mixed_before(const SectionDesign& d) RTA_NONBLOCKING {
    return {.advance = {2.0 * d.a1 - 1.0, -2.0 * d.a2, 2.0 * d.a2, 1.0 - 2.0 * d.a3},
            .into = {2.0 * (d.a2 * d.m2 - (d.k * d.a2 + d.a3) * d.m1), 2.0 * (d.a3 * d.m2 + d.a2 * d.m1)},
            .from = {d.a2, 1.0 - d.a3},
            .through = d.m0 + d.a3 * d.m2 + d.a2 * d.m1};
}

BiquadCoefficients section_coefficients(const StateSpace& system) RTA_NONBLOCKING {
    const Matrix& advance = system.advance;
    std::array<double, 2> to_states = system.into;
    std::array<double, 2> from_states = system.from;

    constexpr std::size_t kFrames = BiquadCoefficients::kFrames;
    BiquadCoefficients section{};
    section.impulse[kFrames] = static_cast<float>(system.through);
    for (std::size_t frame = 0; frame < kFrames; ++frame) {
        section.from_state_1[frame] = static_cast<float>(from_states[0]);
        section.from_state_2[frame] = static_cast<float>(from_states[1]);
        if (frame + 1 < kFrames) {
            section.impulse[kFrames + frame + 1] =
                static_cast<float>(from_states[0] * system.into[0] + from_states[1] * system.into[1]);
        }
        section.to_state_1[kFrames - 1 - frame] = static_cast<float>(to_states[0]);
        section.to_state_2[kFrames - 1 - frame] = static_cast<float>(to_states[1]);
        from_states = {from_states[0] * advance[0] + from_states[1] * advance[2],
                       from_states[0] * advance[1] + from_states[1] * advance[3]};
        to_states = {advance[0] * to_states[0] + advance[1] * to_states[1],
                     advance[2] * to_states[0] + advance[3] * to_states[1]};
    }
    const Matrix advance_2 = product(advance, advance);
    const Matrix advance_4 = product(advance_2, advance_2);
    const Matrix advance_8 = product(advance_4, advance_4);
    store_change(advance_8, section.advance_8);
    store_change(product(advance_8, advance_8), section.advance_16);
    return section;
}

void cascade_response(std::span<const BiquadCoefficients> sections, double sample_rate_hz,
                      std::span<const double> frequencies_hz, std::span<std::complex<double>> responses) {
    assert(frequencies_hz.size() == responses.size());
    const std::size_t chunk = filter_kernels().chunk_frames;
    for (std::size_t i = 0; i < frequencies_hz.size(); ++i) {
        const Turns turns{chunk, 2.0 * kPi * frequencies_hz[i] / sample_rate_hz};
        responses[i] = 1.0;
        for (const BiquadCoefficients& section : sections) responses[i] *= response(section, turns);
    }
}

}  // namespace rta::dsp
