// SPDX-License-Identifier: MIT
// Compares with libm in long double, which is accurate to 1e-18.
#include "dsp/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace rta::dsp::math_test {
namespace {

/// Half a unit in the last place of a float, relative: the error of rounding once.
constexpr double kFloatRounding = 0x1p-24;

double relative_error(double value, long double exact) {
    return static_cast<double>(std::fabs((value - exact) / exact));
}

TEST(Exp2, FloatIsWithinItsTolerance) {
    for (int i = -126'000; i <= 126'000; ++i) {
        const float x = static_cast<float>(i) / 1'000.0F;
        ASSERT_LT(relative_error(exp2(x), std::exp2(static_cast<long double>(x))), kFloatRounding + 1e-9) << x;
    }
    static_assert(kFloatRounding + 1e-9 < 1e-7, "what the header promises");
}

TEST(Exp2, DoubleIsWithinItsTolerance) {
    for (int i = -102'200; i <= 102'200; ++i) {
        const double x = static_cast<double>(i) / 100.0 + 1.0 / 3'000.0;
        if (x > 1022.0) continue;
        ASSERT_LT(relative_error(exp2(x), std::exp2(static_cast<long double>(x))), 1e-9) << x;
    }
}

TEST(Exp2, IsExactForWholeNumbers) {
    for (int i = -126; i <= 126; ++i) ASSERT_EQ(exp2(static_cast<float>(i)), std::ldexp(1.0F, i)) << i;
    for (int i = -1022; i <= 1022; ++i) ASSERT_EQ(exp2(static_cast<double>(i)), std::ldexp(1.0, i)) << i;
}

TEST(Exp2, FloatIsClamped) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (const float x : {127.0F, 1e30F, kInfinity}) EXPECT_EQ(exp2(x), 0x1p126F) << x;
    for (const float x : {-127.0F, -1e30F, -kInfinity}) EXPECT_EQ(exp2(x), 0x1p-126F) << x;
}

TEST(Log2, DoubleIsWithinItsTolerance) {
    for (double x = 1e-300; x < 1e300; x *= 1.001) {
        ASSERT_LT(std::fabs(static_cast<double>(log2(x) - std::log2(static_cast<long double>(x)))), 1e-9) << x;
    }
}

TEST(Log2, FloatIsTheDoubleRounded) {
    for (float x = 1e-37F; x < 1e38F; x *= 1.003F) {
        const long double exact = std::log2(static_cast<long double>(x));
        const double tolerance = 1e-9 + kFloatRounding * std::fabs(static_cast<double>(exact));
        ASSERT_LT(std::fabs(static_cast<double>(log2(x) - exact)), tolerance) << x;
    }
}

TEST(Log2, IsExactForPowersOfTwo) {
    for (int i = -1022; i <= 1023; ++i) ASSERT_EQ(log2(std::ldexp(1.0, i)), static_cast<double>(i));
    for (int i = -126; i <= 127; ++i) ASSERT_EQ(log2(std::ldexp(1.0F, i)), static_cast<float>(i));
}

TEST(SineOfQuarters, IsWithinItsTolerance) {
    constexpr long double kHalfPi = 1.570796326794896619231321691639751442L;
    for (int i = -100'000; i <= 100'000; ++i) {
        if (i == 0) continue;
        const double x = static_cast<double>(i) / 100'000.0;
        ASSERT_LT(relative_error(sine_of_quarters(x), std::sin(kHalfPi * static_cast<long double>(x))), 1e-15) << x;
    }
    EXPECT_EQ(sine_of_quarters(0.0), 0.0);
}

TEST(QuickLog2, IsWithinItsTolerance) {
    for (float x = 1.2e-38F; x < 3e38F; x *= 1.000'3F) {
        const long double exact = std::log2(static_cast<long double>(x));
        const double tolerance = 3e-7 + 0x1p-23 * std::fabs(static_cast<double>(exact));
        ASSERT_LT(std::fabs(static_cast<double>(quick_log2(x) - exact)), tolerance) << x;
    }
    for (int i = -126; i <= 127; ++i) ASSERT_EQ(quick_log2(std::ldexp(1.0F, i)), static_cast<float>(i));
}

TEST(QuickExp2, IsWithinItsTolerance) {
    for (int i = -126'000; i <= 126'000; ++i) {
        const float x = static_cast<float>(i) / 1'000.0F;
        ASSERT_LT(relative_error(quick_exp2(x), std::exp2(static_cast<long double>(x))), 4e-7) << x;
    }
    for (int i = -126; i <= 126; ++i) ASSERT_EQ(quick_exp2(static_cast<float>(i)), std::ldexp(1.0F, i)) << i;
}

TEST(DecayPerFrame, LeavesOneInEAfterItsTime) {
    for (const double time_ms : {0.1, 1.0, 20.0, 5'000.0}) {
        for (const double rate_hz : {8'000.0, 48'000.0, 192'000.0}) {
            const double frames = time_ms * rate_hz / 1'000.0;
            EXPECT_NEAR(std::pow(decay_per_frame(time_ms, rate_hz), frames), std::exp(-1.0), 2e-9 * frames + 1e-9);
        }
    }
}

TEST(GainFromDb, IsWithinOneRounding) {
    for (int i = -11'999; i <= 2'400; ++i) {
        const float gain_db = static_cast<float>(i) / 100.0F;
        const long double exact = std::pow(10.0L, static_cast<long double>(gain_db) / 20.0L);
        ASSERT_LT(relative_error(gain_from_db(gain_db), exact), kFloatRounding + 1e-9) << gain_db;
    }
}

TEST(GainFromDb, IsExactWhereItMatters) {
    EXPECT_EQ(gain_from_db(0.0F), 1.0F);
    EXPECT_EQ(gain_from_db(-0.0F), 1.0F);
    EXPECT_EQ(gain_from_db(kSilenceDb), 0.0F);
    EXPECT_EQ(gain_from_db(-1'000.0F), 0.0F);
    EXPECT_EQ(gain_from_db(-std::numeric_limits<float>::infinity()), 0.0F);
    EXPECT_GT(gain_from_db(std::nextafter(kSilenceDb, 0.0F)), 0.0F);
}

TEST(FiniteOrZero, ReplacesOnlyWhatIsNotFinite) {
    for (const float sample : {0.0F, -0.0F, 1.0F, -1.5F, std::numeric_limits<float>::max(),
                               std::numeric_limits<float>::lowest(), std::numeric_limits<float>::denorm_min()}) {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(finite_or_zero(sample)), std::bit_cast<std::uint32_t>(sample)) << sample;
    }
    for (const float sample : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
                               std::numeric_limits<float>::signaling_NaN()}) {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(finite_or_zero(sample)), 0U) << sample;
    }
}

TEST(Flushed, KeepsWhatCanBeHeard) {
    for (const float sample : {1.0F, -1.0F, 1e-30F, -1e-30F, 1e-20F}) EXPECT_EQ(flushed(sample), sample);
    for (const float sample : {0.0F, 9e-31F, -9e-31F, 1e-38F, -1e-38F, 1e-45F}) EXPECT_EQ(flushed(sample), 0.0F);
    EXPECT_TRUE(std::isnan(flushed(std::numeric_limits<float>::quiet_NaN())));
}

long double exact_sine(std::uint32_t phase) {
    return std::sin(2.0L * 3.141592653589793238462643383279502884L * static_cast<long double>(phase) / 0x1p32L);
}

TEST(SineOfPhase, IsWithinItsTolerance) {
    double largest_error = 0.0;
    float largest = 0.0F;
    for (std::uint64_t phase = 0; phase < 0x1'0000'0000; phase += 4'001) {  // prime: all quarters, all low bits
        const auto turn = static_cast<std::uint32_t>(phase);
        const float sine = sine_of_phase(turn);
        largest = std::max(largest, std::fabs(sine));
        largest_error = std::max(largest_error, static_cast<double>(std::fabs(sine - exact_sine(turn))));
    }
    EXPECT_LT(largest_error, 2.5e-7);
    EXPECT_LE(largest, 1.0F + 0x1p-23F);
}

TEST(SineOfPhase, IsExactlyZeroAtHalfTurnsAndSymmetric) {
    EXPECT_EQ(sine_of_phase(0), 0.0F);
    EXPECT_EQ(sine_of_phase(0x8000'0000), 0.0F);
    EXPECT_NEAR(sine_of_phase(0x4000'0000), 1.0F, 2e-7F);
    EXPECT_NEAR(sine_of_phase(0xC000'0000), -1.0F, 2e-7F);
    for (std::uint32_t phase = 1; phase < 0x7FFF'0000; phase += 65'521) {
        ASSERT_EQ(sine_of_phase(phase), -sine_of_phase(0U - phase)) << phase;
        ASSERT_EQ(sine_of_phase(phase), sine_of_phase(0x8000'0000 - phase)) << phase;
    }
}

TEST(SineOfTurns, IsWithinItsTolerance) {
    for (int i = -2'000'000; i <= 2'000'000; ++i) {
        const double turns = static_cast<double>(i) / 7.0e5 + 1e-9;
        const long double whole = std::round(static_cast<long double>(turns));
        const long double angle = 2.0L * 3.141592653589793238462643383279502884L * (turns - whole);
        ASSERT_LT(static_cast<double>(std::fabs(sine_of_turns(turns) - std::sin(angle))), 1e-15) << turns;
        // Adding 1/4 rounds the argument.
        ASSERT_LT(static_cast<double>(std::fabs(cosine_of_turns(turns) - std::cos(angle))), 4e-15) << turns;
    }
}

TEST(SineOfTurns, IsExactForQuarters) {
    for (const double whole : {0.0, 1.0, -3.0, 1e6}) {
        EXPECT_EQ(sine_of_turns(whole), 0.0);
        EXPECT_EQ(sine_of_turns(whole + 0.25), 1.0);
        EXPECT_EQ(sine_of_turns(whole + 0.5), 0.0);
        EXPECT_EQ(sine_of_turns(whole + 0.75), -1.0);
        EXPECT_EQ(cosine_of_turns(whole), 1.0);
        EXPECT_EQ(cosine_of_turns(whole + 0.25), 0.0);
        EXPECT_EQ(cosine_of_turns(whole + 0.5), -1.0);
    }
}

}  // namespace
}  // namespace rta::dsp::math_test
