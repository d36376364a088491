// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <string_view>
#include <vector>

#include "dsp/simd.h"
#include "support/node_bench.h"

/// References for filter tests: the formulas of the Audio EQ Cookbook in double with libm, and measurements of impulse
/// responses.
namespace rta::test {

using Complex = std::complex<double>;

/// One section as the cookbook describes it: `alpha` from Q, a bandwidth or a slope.
struct CookbookSection {
    std::string_view kind;
    double frequency_hz;
    double alpha;
    double gain_db = 0.0;
    double sample_rate_hz = 48'000.0;
};

inline double angle_of(double frequency_hz, double sample_rate_hz) {
    return 2.0 * std::numbers::pi * frequency_hz / sample_rate_hz;
}

inline double alpha_of_q(double frequency_hz, double q, double sample_rate_hz = 48'000.0) {
    return std::sin(angle_of(frequency_hz, sample_rate_hz)) / (2.0 * q);
}

/// Coefficients of a transfer function.
struct CookbookForm {
    double b0, b1, b2, a0, a1, a2;
};

/// Returns the first-order filters by the bilinear transform: s = (1 - z^-1) / (K (1 + z^-1)), K = tan(w / 2). Shelves
/// have half their gain (in dB) at the frequency: (s + A) / (s + 1 / A), with A = 10^(gain / 40).
inline CookbookForm first_order_form(std::string_view kind, double tangent, double a) {
    const auto form = [tangent](double numerator_s, double numerator_1, double denominator_s, double denominator_1) {
        return CookbookForm{numerator_1 * tangent + numerator_s,     numerator_1 * tangent - numerator_s,     0.0,
                            denominator_1 * tangent + denominator_s, denominator_1 * tangent - denominator_s, 0.0};
    };
    if (kind == "lowpass_1") return form(0.0, 1.0, 1.0, 1.0);
    if (kind == "highpass_1") return form(1.0, 0.0, 1.0, 1.0);
    if (kind == "allpass_1") return form(-1.0, 1.0, 1.0, 1.0);
    if (kind == "low_shelf_1") return form(1.0, a, 1.0, 1.0 / a);
    if (kind == "high_shelf_1") return form(a, 1.0, 1.0 / a, 1.0);
    throw std::invalid_argument("no such kind");
}

/// Returns the six coefficients of the cookbook.
inline CookbookForm cookbook_form(const CookbookSection& section) {
    const double cosine = std::cos(angle_of(section.frequency_hz, section.sample_rate_hz));
    const double sine = std::sin(angle_of(section.frequency_hz, section.sample_rate_hz));
    const double alpha = section.alpha;
    const double a = std::pow(10.0, section.gain_db / 40.0);
    const double root = 2.0 * std::sqrt(a) * alpha;
    if (section.kind.ends_with("_1"))
        return first_order_form(section.kind, std::tan(angle_of(section.frequency_hz, section.sample_rate_hz) / 2), a);
    CookbookForm form{.b0 = 0, .b1 = 0, .b2 = 0, .a0 = 1 + alpha, .a1 = -2 * cosine, .a2 = 1 - alpha};
    if (section.kind == "lowpass") {
        form.b0 = form.b2 = (1 - cosine) / 2;
        form.b1 = 1 - cosine;
    } else if (section.kind == "highpass") {
        form.b0 = form.b2 = (1 + cosine) / 2;
        form.b1 = -(1 + cosine);
    } else if (section.kind == "bandpass_skirt") {
        form.b0 = sine / 2;
        form.b2 = -sine / 2;
    } else if (section.kind == "bandpass_peak") {
        form.b0 = alpha;
        form.b2 = -alpha;
    } else if (section.kind == "notch") {
        form.b0 = form.b2 = 1;
        form.b1 = -2 * cosine;
    } else if (section.kind == "allpass") {
        form.b0 = 1 - alpha;
        form.b1 = -2 * cosine;
        form.b2 = 1 + alpha;
    } else if (section.kind == "peaking") {
        form = {1 + alpha * a, -2 * cosine, 1 - alpha * a, 1 + alpha / a, -2 * cosine, 1 - alpha / a};
    } else if (section.kind == "low_shelf") {
        form.b0 = a * ((a + 1) - (a - 1) * cosine + root);
        form.b1 = 2 * a * ((a - 1) - (a + 1) * cosine);
        form.b2 = a * ((a + 1) - (a - 1) * cosine - root);
        form.a0 = (a + 1) + (a - 1) * cosine + root;
        form.a1 = -2 * ((a - 1) + (a + 1) * cosine);
        form.a2 = (a + 1) + (a - 1) * cosine - root;
    } else if (section.kind == "high_shelf") {
        form.b0 = a * ((a + 1) + (a - 1) * cosine + root);
        form.b1 = -2 * a * ((a - 1) + (a + 1) * cosine);
        form.b2 = a * ((a + 1) + (a - 1) * cosine - root);
        form.a0 = (a + 1) - (a - 1) * cosine + root;
        form.a1 = 2 * ((a - 1) - (a + 1) * cosine);
        form.a2 = (a + 1) - (a - 1) * cosine - root;
    } else {
        throw std::invalid_argument("no such kind");
    }
    return form;
}

/// Returns the transfer function at z = e^(jw).
inline Complex response_of(const CookbookForm& form, double at_hz, double sample_rate_hz) {
    const Complex z1 = std::polar(1.0, -angle_of(at_hz, sample_rate_hz));
    return (form.b0 + z1 * (form.b1 + z1 * form.b2)) / (form.a0 + z1 * (form.a1 + z1 * form.a2));
}
inline Complex cookbook_response(const CookbookSection& section, double at_hz) {
    return response_of(cookbook_form(section), at_hz, section.sample_rate_hz);
}

/// Returns the number of frames after which the impulse response is below -140 dB of its start: from the radius of the
/// outermost pole.
inline std::uint64_t ringing_frames(const CookbookForm& form) {
    const double half = form.a1 / (2.0 * form.a0);
    const double square = half * half - form.a2 / form.a0;
    const double radius = square < 0.0 ? std::sqrt(form.a2 / form.a0) : std::fabs(half) + std::sqrt(square);
    return 1'024 + static_cast<std::uint64_t>(16.2 / -std::log(radius));
}

/// Fourier transform of an impulse response at one frequency.
inline Complex transform(const std::vector<float>& impulse_response, double at_hz, double sample_rate_hz) {
    const double angle = angle_of(at_hz, sample_rate_hz);
    double re = 0.0;
    double im = 0.0;
    double c = 1.0;
    double s = 0.0;
    const double turn_c = std::cos(angle);
    const double turn_s = std::sin(angle);
    const float* const samples = impulse_response.data();  // with sanitizers, operator[] takes longer than the sums
    for (std::size_t n = 0; n < impulse_response.size(); ++n) {
        if (n % 1'024 == 0) {  // so that rounding errors of the rotation do not accumulate
            c = std::cos(angle * static_cast<double>(n));
            s = std::sin(angle * static_cast<double>(n));
        }
        const double sample = static_cast<double>(samples[n]);
        re += sample * c;
        im -= sample * s;
        const double next = c * turn_c - s * turn_s;
        s = c * turn_s + s * turn_c;
        c = next;
    }
    return {re, im};
}

inline float impulse(std::uint32_t, std::uint32_t, std::uint64_t frame) { return frame == 0 ? 1.0F : 0.0F; }

/// Full-scale white noise, equal in every run, different for each channel.
inline float white_noise(std::uint32_t port, std::uint32_t channel, std::uint64_t frame) {
    std::uint64_t hash = frame * 0x9E37'79B9'7F4A'7C15ULL + port * 1'000'003ULL + channel * 7'919ULL + 1;
    hash ^= hash >> 29U;
    hash *= 0xBF58'476D'1CE4'E5B9ULL;
    hash ^= hash >> 32U;
    return static_cast<float>(static_cast<std::int32_t>(hash & 0xFFFF'FFFFU)) / 0x1p31F;
}

/// Equal ratios from `from` to `to`.
inline std::vector<double> frequencies(double from, double to, int count) {
    std::vector<double> all;
    for (int i = 0; i < count; ++i) all.push_back(from * std::pow(to / from, static_cast<double>(i) / (count - 1)));
    return all;
}

inline double db(double ratio) { return 20.0 * std::log10(ratio); }
inline double degrees(double radians) { return radians * 180.0 / std::numbers::pi; }

/// A tone at -12 dB.
inline constexpr double kToneLevel = 0.251;
inline NodeBench::Signal sine_of(double hz) {
    return [hz](std::uint32_t, std::uint32_t, std::uint64_t frame) {
        return static_cast<float>(kToneLevel * std::sin(angle_of(hz, 48'000.0) * static_cast<double>(frame)));
    };
}

inline double peak_of(const std::vector<float>& samples) {
    double peak = 0.0;
    for (const float sample : samples) peak = std::max(peak, static_cast<double>(std::fabs(sample)));
    return peak;
}

/// Parameters of a section that can ramp.
struct FilterPoint {
    float frequency_hz;
    float q;
    float gain_db;
};

/// Returns the maximum gain of a tone, or of any tone within three octaves, over the points that a ramp passes.
inline double largest_response(std::string_view kind, const FilterPoint& from, const FilterPoint& to, double tone_hz,
                               bool at_any_frequency = false) {
    constexpr int kPoints = 48;
    std::vector<double> tones{tone_hz};
    if (at_any_frequency) {
        for (const double hz : frequencies(tone_hz / 8.0, std::min(tone_hz * 8.0, 23'000.0), 100)) tones.push_back(hz);
    }
    double largest = 0.0;
    for (int point = 0; point <= kPoints; ++point) {
        const double part = static_cast<double>(point) / kPoints;
        const auto by_ratio = [part](float low, float high) {
            return static_cast<double>(low) * std::pow(static_cast<double>(high) / static_cast<double>(low), part);
        };
        const double hz = by_ratio(from.frequency_hz, to.frequency_hz);
        const double gain_db = from.gain_db + part * (to.gain_db - from.gain_db);
        const CookbookSection section{kind, hz, alpha_of_q(hz, by_ratio(from.q, to.q)), gain_db};
        for (const double at_hz : tones) largest = std::max(largest, std::abs(cookbook_response(section, at_hz)));
    }
    return largest;
}

class Dice {
 public:
    explicit Dice(unsigned seed) : engine_{seed} {}
    double between(double low, double high) {
        return low + (high - low) * (static_cast<double>(engine_()) / 4294967295.0);
    }
    /// Random value, uniformly distributed on a logarithmic scale.
    double by_ratio(double low, double high) { return low * std::pow(high / low, between(0.0, 1.0)); }

 private:
    std::mt19937 engine_;
};

/// Runs with each SIMD target, then restores the previous one.
template <class Run>
void for_each_target(const Run& run) {
    const std::string_view before = dsp::simd_target();
    for (const std::string_view target : dsp::simd_targets()) {
        ASSERT_TRUE(dsp::use_simd_target(target));
        run(target);
    }
    ASSERT_TRUE(dsp::use_simd_target(before));
}

/// Returns the response that `type` reports for one frequency.
inline Complex told_response(const NodeType& type, const ResolvedSettings& settings,
                             const std::vector<float>& parameters, double at_hz, std::uint32_t output = 0,
                             double sample_rate_hz = 48'000.0) {
    const std::array frequencies_hz{at_hz};
    std::array<Complex, 1> told{};
    type.response({settings, parameters, sample_rate_hz, output, frequencies_hz}, told);
    return told[0];
}

}  // namespace rta::test
