// SPDX-License-Identifier: MIT
#include "dsp/sine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace rta::dsp::sine_test {
namespace {

constexpr long double kTwoPi = 2.0L * 3.141592653589793238462643383279502884L;
constexpr double kRate = 48'000.0;
/// Tolerance of one sample: see sine_of_phase().
constexpr double kSampleTolerance = 2.5e-7;

/// Returns the sine; integer offsets of `cycles` do not matter.
double sine_of_cycles(long double cycles) {
    return static_cast<double>(std::sin(kTwoPi * (cycles - std::floor(cycles))));
}

double db(double power_ratio) { return 10.0 * std::log10(power_ratio); }

std::vector<float> render(SineOscillator& oscillator, float frequency_hz, std::size_t count, std::size_t block = 64) {
    std::vector<float> out(count, NAN);
    for (std::size_t done = 0; done < count; done += block) {
        oscillator.render(frequency_hz, std::span{out}.subspan(done, block));
    }
    return out;
}

/// Returns the power of the sine of `frequency_hz` in `signal`, by least squares. `signal` is one second long and the
/// frequency an integer, so sine and cosine are orthogonal and the fit is two sums.
double power_at(std::span<const double> signal, int frequency_hz) {
    double in_phase = 0.0;
    double quadrature = 0.0;
    for (std::size_t n = 0; n < signal.size(); ++n) {
        const auto turns = static_cast<long double>(n) * frequency_hz / static_cast<long double>(kRate);
        in_phase += signal[n] * sine_of_cycles(turns);
        quadrature += signal[n] * sine_of_cycles(turns + 0.25L);
    }
    const double scale = 2.0 / static_cast<double>(signal.size());
    return ((in_phase * scale) * (in_phase * scale) + (quadrature * scale) * (quadrature * scale)) / 2.0;
}

double mean_square(std::span<const double> signal) {
    double sum = 0.0;
    for (const double sample : signal) sum += sample * sample;
    return sum / static_cast<double>(signal.size());
}

class SineQualityTest : public testing::TestWithParam<int> {};

TEST_P(SineQualityTest, HarmonicsAndNoiseAreBelowMinus120Db) {
    SineOscillator oscillator{kRate};
    const std::vector<float> rendered = render(oscillator, static_cast<float>(GetParam()), 48'000);
    const std::vector<double> signal(rendered.begin(), rendered.end());
    const double fundamental = power_at(signal, GetParam());
    EXPECT_NEAR(db(fundamental / 0.5), 0.0, 1e-5) << "dB of full scale";
    // Everything except the fundamental: harmonics, their images and noise.
    const double rest = mean_square(signal) - fundamental;
    EXPECT_LT(db(std::fabs(rest) / fundamental), -120.0);
    for (int harmonic = 2; harmonic <= 9 && harmonic * GetParam() < 24'000; ++harmonic) {
        EXPECT_LT(db(power_at(signal, harmonic * GetParam()) / fundamental), -130.0) << "harmonic " << harmonic;
    }
}

INSTANTIATE_TEST_SUITE_P(FrequenciesHz, SineQualityTest, testing::Values(20, 440, 997, 1'000, 7'919, 19'997, 23'999),
                         testing::PrintToStringParamName());

TEST(SineOscillator, DoesNotDriftInAnHour) {
    constexpr std::uint64_t kHour = 3'600ULL * 48'000ULL;
    constexpr std::size_t kBlock = 1'024;
    static_assert(kHour % kBlock == 0);
    for (const float frequency_hz : {440.1F, 19'999.3F}) {
        SineOscillator oscillator{kRate};
        std::array<float, kBlock> block{};
        for (std::uint64_t frame = 0; frame < kHour; frame += kBlock) oscillator.render(frequency_hz, block);

        // Exact: the product has 24 + 28 bits, and fmod() never rounds.
        const long double cycles =
            std::fmod(static_cast<long double>(frequency_hz) * static_cast<long double>(kHour), 48'000.0L) / 48'000.0L;
        // The frequency in cycles per frame is rounded to 53 bits, then to 2^-64 cycles.
        const double tolerance =
            static_cast<double>(frequency_hz) * 3'600.0 * 0x1p-53 + static_cast<double>(kHour) * 0x1p-64;
        const long double phase = static_cast<long double>(oscillator.phase()) / 0x1p64L;
        const long double difference = phase - cycles;
        EXPECT_LT(static_cast<double>(std::fabs(difference - std::round(difference))), tolerance) << "cycles";

        // The output must still match the phase.
        oscillator.render(frequency_hz, block);
        for (std::size_t n = 0; n < kBlock; ++n) {
            const long double exact =
                cycles + static_cast<long double>(frequency_hz) * static_cast<long double>(n) / 48'000.0L;
            ASSERT_NEAR(block[n], sine_of_cycles(exact), kSampleTolerance + 6.3 * tolerance) << n;
        }
    }
}

TEST(SineOscillator, KeepsItsPhaseWhenTheFrequencyJumps) {
    SineOscillator oscillator{kRate};
    long double cycles = 0.0L;
    for (const float frequency_hz : {440.0F, 10'000.0F, 0.01F, 997.5F, 24'000.0F, 30.0F}) {
        const std::vector<float> out = render(oscillator, frequency_hz, 512);
        for (std::size_t n = 0; n < out.size(); ++n) {
            ASSERT_NEAR(out[n], sine_of_cycles(cycles), kSampleTolerance) << frequency_hz << " Hz, frame " << n;
            cycles += static_cast<long double>(frequency_hz) / static_cast<long double>(kRate);
        }
    }
}

TEST(SineOscillator, KeepsItsPhaseWhileTheFrequencyMovesEveryFrame) {
    SineOscillator oscillator{kRate};
    std::vector<float> frequencies(4'800);
    for (std::size_t n = 0; n < frequencies.size(); ++n) {
        frequencies[n] = 300.0F * std::exp2(static_cast<float>(n) / 1'000.0F);
    }
    std::vector<float> out(frequencies.size(), NAN);
    for (std::size_t done = 0; done < out.size(); done += 16) {
        oscillator.render(std::span<const float>{frequencies}.subspan(done, 16), std::span{out}.subspan(done, 16));
    }
    long double cycles = 0.0L;
    for (std::size_t n = 0; n < out.size(); ++n) {
        ASSERT_NEAR(out[n], sine_of_cycles(cycles), kSampleTolerance) << n;
        cycles += static_cast<long double>(frequencies[n]) / static_cast<long double>(kRate);
    }
}

TEST(SineOscillator, GivesTheSameBitsHoweverTheFramesAreCutAndTheFrequencyGiven) {
    SineOscillator reference{kRate};
    const std::vector<float> expected = render(reference, 1'234.5F, 4'096, 4'096);
    for (const std::size_t block : {16U, 64U, 256U, 1'024U}) {
        SineOscillator oscillator{kRate};
        EXPECT_EQ(render(oscillator, 1'234.5F, 4'096, block), expected) << block;
    }
    SineOscillator oscillator{kRate};
    const std::vector<float> frequencies(4'096, 1'234.5F);
    std::vector<float> out(4'096, NAN);
    oscillator.render(frequencies, out);
    EXPECT_EQ(out, expected);
}

TEST(SineOscillator, StaysFiniteAboveHalfTheSampleRate) {
    SineOscillator oscillator{8'000.0};
    SineOscillator at_half_the_rate{8'000.0};
    const std::vector<float> expected = render(at_half_the_rate, 4'000.0F, 256);
    EXPECT_EQ(render(oscillator, 24'000.0F, 256), expected);
    for (const float sample : expected) EXPECT_LE(std::fabs(sample), 1.0F);
}

TEST(SineOscillator, StartsAtZero) {
    SineOscillator oscillator{kRate};
    const std::vector<float> first = render(oscillator, 440.0F, 1'600);
    EXPECT_EQ(first[0], 0.0F);
    EXPECT_GT(first[1], 0.0F);
}

}  // namespace
}  // namespace rta::dsp::sine_test
