// SPDX-License-Identifier: MIT
#include "dsp/biquad.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>

#include "dsp/math.h"

namespace rta::dsp {
namespace {

/// Rows of scratch memory: the coefficients of BiquadRamp, then frequency, Q and gain.
enum Row : std::uint8_t { kDrive, kA2, kA3, kK, kM0, kM1, kM2, kFrequency, kQ, kGain, kRows };

/// Compares unequal to all values, because of the NaN.
constexpr FilterValues kNone{std::numeric_limits<float>::quiet_NaN(), 0.0F, 0.0F};

bool moves(const FilterMotion& motion) RTA_NONBLOCKING {
    return motion.frequency_hz.ramp != nullptr || motion.width.ramp != nullptr || motion.gain_db.ramp != nullptr;
}

/// Returns the frequency in half cycles per frame, at most kMaximumHalfCycles. Half a cycle is an angle of pi.
double half_cycles_of(double frequency_hz, double sample_rate_hz) RTA_NONBLOCKING {
    return std::min(2.0 * frequency_hz / sample_rate_hz, static_cast<double>(kMaximumHalfCycles));
}

bool has_gain(FilterKind kind) RTA_NONBLOCKING {
    return kind == FilterKind::peaking || kind == FilterKind::low_shelf || kind == FilterKind::high_shelf;
}

/// Returns A of the cookbook, the square root of the gain.
double root_of_gain(double gain_db) RTA_NONBLOCKING {
    constexpr double kOctavesPerDb = 0.083'048'202'372'184'058;  // log2(10) / 40
    return exp2(gain_db * kOctavesPerDb);
}

/// 1 / Q = 2 sinh(ln(2) / 2 * bandwidth * w / sin(w)), where w is the angle per frame.
double q_of_bandwidth(double octaves, double frequency_hz, double sample_rate_hz) RTA_NONBLOCKING {
    const double half_cycles = half_cycles_of(frequency_hz, sample_rate_hz);
    const double sine = 2.0 * sine_of_quarters(half_cycles) * sine_of_quarters(1.0 - half_cycles);
    // sinh(x) from powers of 2: ln(2) / 2 times log2(e) is 1/2.
    const double half_power = 0.5 * octaves * kPi * half_cycles / sine;
    return 1.0 / (exp2(half_power) - exp2(-half_power));
}

/// 1 / Q = sqrt((A + 1 / A) (1 / slope - 1) + 2)
double q_of_slope(double slope, double root) RTA_NONBLOCKING {
    return 1.0 / square_root((root + 1.0 / root) * (1.0 / slope - 1.0) + 2.0);
}

double q_of(const FilterShape& shape, const FilterValues& values, double sample_rate_hz) RTA_NONBLOCKING {
    const double width = static_cast<double>(values.width);
    double q = 0.0;
    switch (shape.width) {
        case FilterWidth::q:
            return width;
        case FilterWidth::bandwidth:
            q = q_of_bandwidth(width, static_cast<double>(values.frequency_hz), sample_rate_hz);
            break;
        case FilterWidth::slope:
            q = q_of_slope(width, has_gain(shape.kind) ? root_of_gain(static_cast<double>(values.gain_db)) : 1.0);
            break;
    }
    return std::max(q, static_cast<double>(kLeastQ));
}

/// A section in Simper's notation: g is the gain of the integrators, k = 1 / Q, the input of the integrators is drive *
/// input, and output = m0 * input + m1 * band-pass + m2 * low-pass.
///
/// The drive is 1 unless keeps_feed().
struct Mixture {
    double g_factor = 1.0;
    double drive = 1.0;
    double k;
    double m0 = 1.0;
    double m1 = 0.0;
    double m2 = 0.0;
};

Mixture mixture_of(FilterKind kind, double k, double gain_db) RTA_NONBLOCKING {
    const double root = has_gain(kind) ? root_of_gain(gain_db) : 1.0;
    const double gain = root * root;
    switch (kind) {
        case FilterKind::lowpass:
            return {.k = k, .m0 = 0.0, .m2 = 1.0};
        case FilterKind::highpass:
            return {.k = k, .m1 = -k, .m2 = -1.0};
        case FilterKind::bandpass_skirt:
            return {.k = k, .m0 = 0.0, .m1 = 1.0};
        case FilterKind::bandpass_peak:
            return {.drive = k, .k = k, .m0 = 0.0, .m1 = 1.0};
        case FilterKind::notch:
            return {.drive = k, .k = k, .m1 = -1.0};
        case FilterKind::allpass:
            return {.drive = k, .k = k, .m1 = -2.0};
        case FilterKind::peaking:
            return {.drive = k, .k = k / root, .m1 = root - 1.0 / root};
        case FilterKind::low_shelf:
            return {.g_factor = 1.0 / square_root(root), .k = k, .m1 = k * (root - 1.0), .m2 = gain - 1.0};
        case FilterKind::high_shelf:
            return {.g_factor = square_root(root), .k = k, .m0 = gain, .m1 = k * (root - gain), .m2 = 1.0 - gain};
        case FilterKind::inverted_highpass:
            return {.k = k, .m0 = -1.0, .m1 = k, .m2 = 1.0};
        case FilterKind::lowpass_less_highpass:
            return {.k = k, .m0 = -1.0, .m1 = k, .m2 = 2.0};
    }
    return {.k = k};
}

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

BiquadCoefficients biquad_coefficients(const FilterShape& shape, const FilterValues& values,
                                       double sample_rate_hz) RTA_NONBLOCKING {
    const Mixture mixture =
        mixture_of(shape.kind, 1.0 / q_of(shape, values, sample_rate_hz), static_cast<double>(values.gain_db));
    const double half_cycles = half_cycles_of(static_cast<double>(values.frequency_hz), sample_rate_hz);
    // a1, a2 and a3 from sine and cosine instead of their quotient g, which is unbounded.
    const double s = sine_of_quarters(half_cycles) * mixture.g_factor;
    const double c = sine_of_quarters(1.0 - half_cycles);
    const double sum = c * c + mixture.k * s * c + s * s;
    const double a1 = c * c / sum;
    const double a2 = s * c / sum;
    const double a3 = s * s / sum;

    // The matrices of one frame: states to states, input to states, states to output, input to output.
    const Matrix advance{2.0 * a1 - 1.0, -2.0 * a2, 2.0 * a2, 1.0 - 2.0 * a3};
    const std::array<double, 2> into_states{mixture.drive * 2.0 * a2, mixture.drive * 2.0 * a3};
    std::array<double, 2> to_states = into_states;
    std::array<double, 2> from_states{mixture.m1 * a1 + mixture.m2 * a2, mixture.m2 * (1.0 - a3) - mixture.m1 * a2};
    const double through = mixture.m0 + mixture.drive * (mixture.m1 * a2 + mixture.m2 * a3);

    constexpr std::size_t kFrames = BiquadCoefficients::kFrames;
    BiquadCoefficients section{};
    section.impulse[kFrames] = static_cast<float>(through);
    for (std::size_t frame = 0; frame < kFrames; ++frame) {
        section.from_state_1[frame] = static_cast<float>(from_states[0]);
        section.from_state_2[frame] = static_cast<float>(from_states[1]);
        if (frame + 1 < kFrames) {
            section.impulse[kFrames + frame + 1] =
                static_cast<float>(from_states[0] * into_states[0] + from_states[1] * into_states[1]);
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
    section.feed = {static_cast<float>(mixture.drive), static_cast<float>(mixture.k)};
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

BiquadCascade::BiquadCascade(std::span<const FilterShape> shapes, std::uint32_t channel_count, double sample_rate_hz,
                             std::uint32_t block_size)
    : sections_(shapes.size()),
      states_(shapes.size() * channel_count),
      values_(shapes.size(), kNone),
      feeds_(shapes.size()),
      shapes_(shapes.begin(), shapes.end()),
      sample_rate_hz_{sample_rate_hz},
      block_size_{block_size},
      scratch_(std::size_t{kRows} * block_size),
      interleaved_(channel_count == 1 ? 0 : interleaved_width(channel_count) * block_size),
      ins_(channel_count),
      outs_(channel_count) {}

void BiquadCascade::process(std::span<const FilterMotion> motions, const AudioReadView& in,
                            const AudioWriteView& out) RTA_NONBLOCKING {
    assert(motions.size() == sections_.size());
    bool all_rest = true;
    for (std::size_t i = 0; i < sections_.size(); ++i) all_rest = rest(i, motions[i]) && all_rest;
    if (!all_rest) return process_moving(motions, in, out);
    const std::size_t count = sections_.size();
    const FilterKernels& kernels = filter_kernels();
    for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
        kernels.run(sections_.data(), states_.data() + channel * count, count, in.channel(channel).data(),
                    out.channel(channel).data(), out.frame_count());
    }
}

/// Returns true if the parameters of the section are constant, and then updates its coefficients. A section that keeps
/// its feed handles changed values as a movement.
bool BiquadCascade::rest(std::size_t section, const FilterMotion& motion) RTA_NONBLOCKING {
    if (moves(motion)) return false;
    const FilterValues values{motion.frequency_hz.value, motion.width.value, motion.gain_db.value};
    if (values == values_[section]) return true;
    if (keeps_feed(shapes_[section].kind) && feeds_[section].drive != 0.0F) return false;
    settle(section, values);
    return true;
}

void BiquadCascade::settle(std::size_t section, const FilterValues& values) RTA_NONBLOCKING {
    values_[section] = values;
    sections_[section] = biquad_coefficients(shapes_[section], values, sample_rate_hz_);
    feeds_[section] = sections_[section].feed;
}

/// Processes section by section, each with constant or moving parameters. Channels are interleaved from the first
/// moving section to the next one at rest.
void BiquadCascade::process_moving(std::span<const FilterMotion> motions, const AudioReadView& in,
                                   const AudioWriteView& out) RTA_NONBLOCKING {
    const std::size_t count = sections_.size();
    const std::uint32_t channels = out.channel_count();
    const std::uint32_t frames = out.frame_count();
    if (channels == 0) return;
    for (std::uint32_t channel = 0; channel < channels; ++channel) {
        ins_[channel] = in.channel(channel).data();
        outs_[channel] = out.channel(channel).data();
    }
    const FilterKernels& kernels = filter_kernels();
    float* const samples = channels == 1 ? outs_[0] : interleaved_.data();
    bool interleaved = false;
    const auto deinterleave = [&] {
        if (channels != 1) kernels.deinterleave(samples, outs_.data(), channels, frames);
        std::ranges::copy(outs_, ins_.begin());
        interleaved = false;
    };
    for (std::size_t i = 0; i < count; ++i) {
        if (rest(i, motions[i])) {
            if (interleaved) deinterleave();
            for (std::uint32_t channel = 0; channel < channels; ++channel) {
                kernels.run(&sections_[i], states_.data() + i + channel * count, 1, ins_[channel], outs_[channel],
                            frames);
            }
            std::ranges::copy(outs_, ins_.begin());
            continue;
        }
        if (!interleaved && channels != 1) {
            kernels.interleave(ins_.data(), channels, samples, frames);
        } else if (!interleaved && ins_[0] != samples) {
            std::copy_n(ins_[0], frames, samples);
        }
        interleaved = true;
        move(i, motions[i], samples, channels, frames);
    }
    if (interleaved) deinterleave();
}

/// `samples` are interleaved.
void BiquadCascade::move(std::size_t section, const FilterMotion& motion, float* samples, std::uint32_t channels,
                         std::uint32_t frames) RTA_NONBLOCKING {
    const BiquadRamp ramp = design_ramp(section, motion);
    filter_kernels().run_ramp(ramp, states_.data() + section, sections_.size(), samples, channels, frames);
    if (!moves(motion)) {
        settle(section, {motion.frequency_hz.value, motion.width.value, motion.gain_db.value});
        return;
    }
    values_[section] = kNone;
    if (ramp.drive != nullptr) feeds_[section] = {ramp.drive[frames - 1], ramp.k[frames - 1]};
}

BiquadRamp BiquadCascade::design_ramp(std::size_t section, const FilterMotion& motion) RTA_NONBLOCKING {
    const FilterShape& shape = shapes_[section];
    const auto row = [this](Row which) { return scratch_.data() + std::size_t{which} * block_size_; };
    const auto values_of = [&](const FilterCourse& course, Row which) -> const float* {
        if (course.ramp != nullptr) return course.ramp;
        std::fill_n(row(which), block_size_, course.value);
        return row(which);
    };
    const float* const frequency_hz = values_of(motion.frequency_hz, kFrequency);
    const float* const gain_db = values_of(motion.gain_db, kGain);
    const float* q = values_of(motion.width, kQ);
    if (shape.width != FilterWidth::q) {
        for (std::uint32_t frame = 0; frame < block_size_; ++frame) {
            row(kQ)[frame] =
                static_cast<float>(q_of(shape, {frequency_hz[frame], q[frame], gain_db[frame]}, sample_rate_hz_));
        }
        q = row(kQ);
    }
    const bool kept = keeps_feed(shape.kind);
    BiquadRamp ramp{feeds_[section], kept ? row(kDrive) : nullptr, row(kA2), row(kA3), row(kK), row(kM0), row(kM1),
                    row(kM2)};
    filter_kernels().design(shape.kind, static_cast<float>(2.0 / sample_rate_hz_), frequency_hz, q, gain_db, ramp,
                            block_size_);
    if (kept && ramp.before.drive == 0.0F) ramp.before = {ramp.drive[0], ramp.k[0]};
    return ramp;
}

}  // namespace rta::dsp
