// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "rt/annotations.h"

/// Mathematical functions for audio code. Results of libm differ between CPUs; these functions use plain IEEE
/// arithmetic without contraction, so that every compiler and CPU produces the same bits.
namespace rta::dsp {

inline constexpr double kPi = 3.14159265358979323846;

/// Levels at and below this are silence: a factor of exactly 0.
inline constexpr float kSilenceDb = -120.0F;

/// Returns 2^x for -1022 <= x <= 1022; the result for other x is meaningless. Relative error below 1e-9; exact for
/// integers. Branch-free, so that loops over it vectorise.
[[nodiscard]] inline double exp2(double x) RTA_NONBLOCKING {
    // Adding 1.5 * 2^52 leaves no bits for a fraction: the sum is rounded to the nearest integer, which is in the
    // lowest bits of the sum.
    constexpr double kRound = 6'755'399'441'055'744.0;
    const double rounded = x + kRound;
    const double fraction = x - (rounded - kRound);  // -0.5 to 0.5
    // The Taylor series of e^(fraction * ln 2); its first missing term is below 2e-10.
    const double t = fraction * 0.693'147'180'559'945'309;
    const double power =
        1.0 + t * (1.0 + t * (1.0 / 2 +
                              t * (1.0 / 6 +
                                   t * (1.0 / 24 + t * (1.0 / 120 + t * (1.0 / 720 + t * (1.0 / 5040 + t / 40320)))))));
    // 2^whole, built from its exponent field; the shift drops everything but the lowest bits of the rounded sum.
    constexpr std::uint64_t kExponentBias = 1023;
    const double scale = std::bit_cast<double>((std::bit_cast<std::uint64_t>(rounded) + kExponentBias) << 52U);
    return power * scale;
}

/// Returns log2(x) for normal x > 0. Absolute error below 1e-9; exact for powers of two.
[[nodiscard]] double log2(double x) RTA_NONBLOCKING;

/// Returns 2^x; x is clamped to -126 to 126. Relative error below 1e-7.
[[nodiscard]] float exp2(float x) RTA_NONBLOCKING;
/// Returns log2(x) for normal x > 0: the result of log2(double), rounded to float.
[[nodiscard]] float log2(float x) RTA_NONBLOCKING;
/// Returns 10^(gain_db / 20); exactly 0 at and below kSilenceDb, exactly 1 at 0 dB. Computed in double.
[[nodiscard]] float gain_from_db(float gain_db) RTA_NONBLOCKING;

/// Returns sin(2 pi turns) for |turns| < 2^50. Error below 1e-15; exact for multiples of 1/4.
[[nodiscard]] inline double sine_of_turns(double turns) RTA_NONBLOCKING {
    constexpr double kRound = 6'755'399'441'055'744.0;  // see exp2()
    const double nearest = (turns + kRound) - kRound;
    const double part = turns - nearest;  // -0.5 to 0.5
    // Folded at the quarter turns: the sine equals that of the distance from the nearest half turn.
    const double folded = part > 0.25 ? 0.5 - part : (part < -0.25 ? -0.5 - part : part);
    if (folded == 0.25 || folded == -0.25) return folded * 4.0;
    const double x = folded * (2.0 * kPi);
    const double q = -x * x;
    // The Taylor series; its first missing term is below 3e-16 at the peak.
    double sum = 1.0 + q * (1.0 / (18 * 19));
    sum = 1.0 + sum * (q * (1.0 / (16 * 17)));
    sum = 1.0 + sum * (q * (1.0 / (14 * 15)));
    sum = 1.0 + sum * (q * (1.0 / (12 * 13)));
    sum = 1.0 + sum * (q * (1.0 / (10 * 11)));
    sum = 1.0 + sum * (q * (1.0 / (8 * 9)));
    sum = 1.0 + sum * (q * (1.0 / (6 * 7)));
    sum = 1.0 + sum * (q * (1.0 / (4 * 5)));
    sum = 1.0 + sum * (q * (1.0 / (2 * 3)));
    return x * sum;
}

/// Returns cos(2 pi turns) for |turns| < 2^50. Error below 4e-15 for |turns| < 4 (turns + 1/4 is rounded); exact for
/// multiples of 1/4.
[[nodiscard]] inline double cosine_of_turns(double turns) RTA_NONBLOCKING { return sine_of_turns(turns + 0.25); }

/// Returns the square root of x >= 0, correctly rounded: the only libm function whose result IEEE 754 defines exactly.
[[nodiscard]] inline double square_root(double x) RTA_NONBLOCKING { return std::sqrt(x); }

/// Returns log2(x) for normal x > 0 in single precision. Error below 3e-7 plus 2^-23 of the result. Branch-free, so
/// that loops over it vectorise.
[[nodiscard]] inline float quick_log2(float x) RTA_NONBLOCKING {
    // As in log2(), with the terms that matter for a float: the first missing term is below 5e-8.
    const auto bits = std::bit_cast<std::int32_t>(x);
    constexpr auto kSqrtHalf = std::bit_cast<std::int32_t>(0.707'106'781F);
    const std::int32_t exponent = (bits - kSqrtHalf) >> 23;
    const float mantissa = std::bit_cast<float>(bits - exponent * (1 << 23));
    const float s = (mantissa - 1.0F) / (mantissa + 1.0F);
    const float q = s * s;
    constexpr float kTwoOverLn2 = 2.885'390'1F;
    const float artanh = s * (1.0F + q * (1.0F / 3 + q * (1.0F / 5 + q * (1.0F / 7))));
    return static_cast<float>(exponent) + kTwoOverLn2 * artanh;
}

/// Returns 2^x for -126 <= x <= 126 in single precision; not clamped. Relative error below 4e-7; exact for integers.
/// Branch-free, so that loops over it vectorise.
[[nodiscard]] inline float quick_exp2(float x) RTA_NONBLOCKING {
    constexpr float kRound = 12'582'912.0F;  // 1.5 * 2^23, see exp2()
    const float rounded = x + kRound;
    const float t = (x - (rounded - kRound)) * 0.693'147'18F;
    // The Taylor series; its first missing term is below 1.3e-7.
    const float power =
        1.0F + t * (1.0F + t * (1.0F / 2 + t * (1.0F / 6 + t * (1.0F / 24 + t * (1.0F / 120 + t * (1.0F / 720))))));
    const std::uint32_t scale = (std::bit_cast<std::uint32_t>(rounded) + 127U) << 23U;
    return power * std::bit_cast<float>(scale);
}

/// Level of a factor of 2, in dB.
inline constexpr double kDbPerOctave = 6.020'599'913'279'624;

/// Returns the factor by which a value with the time constant `time_ms` decays in one frame (to 1/e in `time_ms`).
/// `time_ms` > 0.
[[nodiscard]] inline double decay_per_frame(double time_ms, double sample_rate_hz) RTA_NONBLOCKING {
    constexpr double kLog2E = 1.442'695'040'888'963'4;
    const double octaves = kLog2E * 1'000.0 / (time_ms * sample_rate_hz);
    return exp2(octaves < 1'000.0 ? -octaves : -1'000.0);
}

/// Returns `sample`, or 0 if it is NaN or infinite. Branch-free, so that loops over it vectorise.
[[nodiscard]] inline float finite_or_zero(float sample) RTA_NONBLOCKING {
    constexpr std::uint32_t kExponentField = 0x7F80'0000;
    const auto bits = std::bit_cast<std::uint32_t>(sample);
    const bool finite = (bits & kExponentField) != kExponentField;
    return std::bit_cast<float>(finite ? bits : 0U);
}

/// Returns sin(pi / 2 * x) for -1 <= x <= 1. Relative error below 1e-15. For the cosine pass 1 - |x|.
[[nodiscard]] double sine_of_quarters(double x) RTA_NONBLOCKING;

/// Returns |sample|. Branch-free, so that loops over it vectorise.
[[nodiscard]] inline float magnitude(float sample) RTA_NONBLOCKING {
    constexpr std::uint32_t kAllButTheSign = 0x7FFF'FFFF;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(sample) & kAllButTheSign);
}

/// Samples below this magnitude are inaudible and close to the denormal range.
inline constexpr float kTiny = 1e-30F;

/// Returns `sample`, or 0 if its magnitude is below kTiny. For state in feedback loops, which would become denormal.
[[nodiscard]] inline float flushed(float sample) RTA_NONBLOCKING {
    return sample < kTiny && sample > -kTiny ? 0.0F : sample;
}

/// Coefficients of the odd minimax polynomial of degree 9 for sin(pi / 2 * x), -1 <= x <= 1 (Remez algorithm). Error:
/// 3.4e-9.
inline constexpr float kSine1 = 1.570'796'290F;
inline constexpr float kSine3 = -0.645'963'360F;
inline constexpr float kSine5 = 0.079'688'481F;
inline constexpr float kSine7 = -0.004'672'228F;
inline constexpr float kSine9 = 0.000'150'821F;

/// Returns sin(2 pi phase / 2^32). A full turn is 2^32, so phases wrap automatically. Error below 2.5e-7, a few float
/// rounding errors. The kernels compute the same bits for many phases together.
[[nodiscard]] inline float sine_of_phase(std::uint32_t phase) RTA_NONBLOCKING {
    // A quarter turn minus the distance from the peak at a quarter turn: a triangle with the zeros of the sine.
    constexpr std::uint32_t kQuarterTurn = 0x4000'0000;
    constexpr std::uint32_t kHalfTurn = 0x8000'0000;
    const std::uint32_t ahead = phase - kQuarterTurn;
    const std::uint32_t from_peak = ahead < kHalfTurn ? ahead : 0U - ahead;
    const float x = static_cast<float>(static_cast<std::int32_t>(kQuarterTurn - from_peak)) * 0x1p-30F;  // -1 to 1
    const float square = x * x;
    return x * (kSine1 + square * (kSine3 + square * (kSine5 + square * (kSine7 + square * kSine9))));
}

}  // namespace rta::dsp
