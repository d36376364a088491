// SPDX-License-Identifier: MIT
#include "dsp/biquad.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <limits>

#include "dsp/math.h"
#include "dsp/section_design.h"

namespace rta::dsp {
namespace {

/// Rows of scratch memory: the coefficients of BiquadRamp, then frequency, Q and gain.
enum Row : std::uint8_t { kDrive, kA2, kA3, kK, kM0, kM1, kM2, kFrequency, kQ, kGain, kRows };

/// Compares unequal to all values, because of the NaN.
constexpr FilterValues kNone{std::numeric_limits<float>::quiet_NaN(), 0.0F, 0.0F};

/// A section amplifies by at most 80 dB: a shelf of +40 dB with Q = 100, at its resonance. With more sections than this
/// in series, the signal between them is limited, so that no setting exceeds the range of a float.
constexpr std::size_t kUnlimitedSections = 6;

bool moves(const FilterMotion& motion) RTA_NONBLOCKING {
    return motion.frequency_hz.ramp != nullptr || motion.width.ramp != nullptr || motion.gain_db.ramp != nullptr;
}

bool has_gain(FilterKind kind) RTA_NONBLOCKING {
    return kind == FilterKind::peaking || kind == FilterKind::low_shelf || kind == FilterKind::high_shelf ||
           kind == FilterKind::low_shelf_1 || kind == FilterKind::high_shelf_1;
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
            return {.drive = k / root, .k = k / root, .m1 = gain - 1.0};
        case FilterKind::low_shelf:
            return {.g_factor = 1.0 / square_root(root), .k = k, .m1 = k * (root - 1.0), .m2 = gain - 1.0};
        case FilterKind::high_shelf:
            return {.g_factor = square_root(root), .k = k, .m0 = gain, .m1 = k * (root - gain), .m2 = 1.0 - gain};
        case FilterKind::lowpass_1:
            return {.k = kFirstOrderK, .m0 = 0.0, .m1 = 1.0, .m2 = 1.0};
        case FilterKind::highpass_1:
            return {.k = kFirstOrderK, .m1 = -1.0, .m2 = -1.0};
        case FilterKind::allpass_1:
            return {.k = kFirstOrderK, .m0 = -1.0, .m1 = kFirstOrderK, .m2 = 2.0};
        case FilterKind::low_shelf_1:
            return {.g_factor = 1.0 / root, .k = kFirstOrderK, .m1 = gain - 1.0, .m2 = gain - 1.0};
        case FilterKind::high_shelf_1:
            return {.g_factor = root, .k = kFirstOrderK, .m0 = gain, .m1 = 1.0 - gain, .m2 = 1.0 - gain};
        case FilterKind::inverted_highpass:
            return {.k = k, .m0 = -1.0, .m1 = k, .m2 = 1.0};
    }
    return {.k = k};
}

}  // namespace

BiquadCoefficients biquad_coefficients(const FilterShape& shape, const FilterValues& values,
                                       double sample_rate_hz) RTA_NONBLOCKING {
    const Mixture mixture =
        mixture_of(shape.kind, 1.0 / q_of(shape, values, sample_rate_hz), static_cast<double>(values.gain_db));
    SectionDesign design =
        section_at(static_cast<double>(values.frequency_hz), sample_rate_hz, mixture.k, mixture.g_factor);
    design.drive = mixture.drive;
    design.m0 = mixture.m0;
    design.m1 = mixture.m1;
    design.m2 = mixture.m2;
    BiquadCoefficients section = section_coefficients(mixed_after(design));
    section.feed = {static_cast<float>(mixture.drive), static_cast<float>(mixture.k)};
    return section;
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
        const float* from = in.channel(channel).data();
        float* const to = out.channel(channel).data();
        for (std::size_t i = 0; i < count; i += kUnlimitedSections) {
            if (i != 0) kernels.limit(to, out.frame_count());
            kernels.run(&sections_[i], &states_[channel * count + i], std::min(kUnlimitedSections, count - i), from, to,
                        out.frame_count());
            from = to;
        }
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
        if (i != 0 && i % kUnlimitedSections == 0) {
            if (interleaved) {
                kernels.limit(samples, frames * (channels == 1 ? 1 : interleaved_width(channels)));
            } else {
                for (float* const out_samples : outs_) kernels.limit(out_samples, frames);
            }
        }
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
