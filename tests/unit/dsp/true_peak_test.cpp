// SPDX-License-Identifier: MIT
// Compares with sines, whose true peak is their amplitude, and with an impulse, whose true peak is its height.
#include "dsp/true_peak.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "dsp/audio_buffer.h"

namespace rta::dsp::true_peak_test {
namespace {

constexpr std::uint32_t kBlock = 64;

std::vector<float> peaks_of(const std::function<double(std::uint32_t)>& signal, std::uint32_t blocks,
                            float floor = 0.01F, std::uint32_t block_size = kBlock) {
    TruePeak true_peak{1, block_size};
    AudioBuffer in{1, block_size};
    const std::vector<float> floors(block_size, floor);
    std::vector<float> all;
    std::vector<float> peaks(block_size);
    for (std::uint32_t block = 0; block < blocks * kBlock / block_size; ++block) {
        for (std::uint32_t n = 0; n < block_size; ++n) {
            in.write().channel(0)[n] = static_cast<float>(signal(block * block_size + n));
        }
        true_peak.process(in.read(), floors, peaks);
        all.insert(all.end(), peaks.begin(), peaks.end());
    }
    return all;
}

double sine(double cycles) { return std::sin(2.0 * std::numbers::pi * cycles); }

TEST(TruePeak, OfASineIsItsAmplitude) {
    // Cycles per frame; up to 0.35 no level is added.
    for (const double frequency : {0.01, 0.1, 0.25, 0.3, 0.35}) {
        for (const double phase : {0.0, 0.03, 0.125, 0.2}) {
            const auto peaks = peaks_of([=](std::uint32_t n) { return 0.5 * sine(frequency * n + phase); }, 40);
            const double highest = static_cast<double>(*std::max_element(peaks.begin() + 512, peaks.end()));
            EXPECT_NEAR(20.0 * std::log10(highest / 0.5), 0.0, 0.05) << frequency << ", " << phase;
        }
    }
}

TEST(TruePeak, OfAToneNearHalfTheRateIsNeverReadLow) {
    for (const double frequency : {0.4, 0.45, 0.48}) {
        const auto peaks = peaks_of([=](std::uint32_t n) { return 0.5 * sine(frequency * n); }, 40);
        EXPECT_GE(*std::max_element(peaks.begin() + 512, peaks.end()), 0.5 * std::pow(10.0, -0.08 / 20.0)) << frequency;
    }
}

TEST(TruePeak, IsToldAfterItsLatency) {
    const auto peaks = peaks_of([](std::uint32_t n) { return n == 100 ? 0.5 : 0.0; }, 6);
    const auto highest = std::max_element(peaks.begin(), peaks.end());
    EXPECT_NEAR(static_cast<double>(highest - peaks.begin()), 100.0 + TruePeak::kLatency, 1.0);
    EXPECT_GE(*highest, 0.5F);
}

TEST(TruePeak, FindsNothingBelowItsFloorAndIsTheSameAboveItWhateverTheBlockSize) {
    const auto bursts = [](std::uint32_t n) { return (n / 100 % 3 == 0 ? 1.0 : 0.001) * sine(0.21 * n * n / 500.0); };
    const auto reference = peaks_of(bursts, 64, 0.5F);
    EXPECT_NE(std::count(reference.begin(), reference.end(), 0.0F), 0) << "quiet chunks are skipped";
    for (const std::uint32_t block_size : {16U, 256U, 1'024U}) {
        EXPECT_EQ(peaks_of(bursts, 64, 0.5F, block_size), reference) << block_size;
    }
    const auto all = peaks_of(bursts, 64, 0.0F);
    for (std::size_t n = 0; n < all.size(); ++n) {
        if (all[n] < 1.0F) continue;
        ASSERT_NEAR(reference[n], all[n], 0.02) << n;
    }
}

float meter_peak(const std::function<double(std::uint32_t)>& signal, std::uint32_t block_size = kBlock) {
    TruePeakMeter meter{2, block_size};
    std::vector<float> in(block_size);
    float peak = 0.0F;
    for (std::uint32_t block = 0; block < 8'192 / block_size; ++block) {
        for (std::uint32_t n = 0; n < block_size; ++n) in[n] = static_cast<float>(signal(block * block_size + n));
        peak = std::max(peak, meter.process(1, in));
    }
    return peak;
}

/// Fades in and out, because the overshoot of a step would be the highest peak.
double windowed_sine(double frequency, double phase, std::uint32_t n) {
    return 0.5 * (0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * n / 8'192.0)) * sine(frequency * n + phase);
}

TEST(TruePeakMeter, OfASineIsItsAmplitudeWithinWhatTheEbuAllows) {
    for (const double frequency : {0.001, 0.02, 0.1, 0.125, 1.0 / 6, 0.25, 0.3, 0.4, 0.45}) {
        for (const double phase : {0.0, 0.03, 0.125, 0.2}) {
            const auto signal = [=](std::uint32_t n) { return windowed_sine(frequency, phase, n); };
            const double error_db = 20.0 * std::log10(static_cast<double>(meter_peak(signal)) / 0.5);
            EXPECT_GT(error_db, -0.1) << frequency << ", " << phase;
            EXPECT_LT(error_db, 0.1) << frequency << ", " << phase;
        }
    }
}

TEST(TruePeakMeter, BeginsInTheMiddleOfASoundWithoutAnEdge) {
    const auto tone = [](std::uint32_t n) { return 0.5 * sine(0.25 * n + 0.125); };
    for (const std::uint32_t block_size : {16U, 64U}) {
        EXPECT_NEAR(20.0 * std::log10(static_cast<double>(meter_peak(tone, block_size)) / 0.5), 0.0, 0.1);
    }
}

TEST(TruePeakMeter, IsTheSameWhateverTheBlockSize) {
    const auto bursts = [](std::uint32_t n) { return (n / 100 % 3 == 0 ? 1.0 : 0.001) * sine(0.21 * n * n / 500.0); };
    const float reference = meter_peak(bursts);
    for (const std::uint32_t block_size : {16U, 256U, 1'024U}) EXPECT_EQ(meter_peak(bursts, block_size), reference);
}

TEST(TruePeakMeter, AFloorNeverHidesAHigherPeak) {
    std::mt19937 random{3};
    std::uniform_real_distribution<float> uniform{-1.0F, 1.0F};
    for (int run = 0; run < 200; ++run) {
        TruePeakMeter with_floor{1, kBlock};
        TruePeakMeter without{1, kBlock};
        float highest = 0.0F;
        float expected = 0.0F;
        std::vector<float> samples(kBlock);
        for (int block = 0; block < 50; ++block) {
            // Alternating signs at one quarter of the rate overshoot most.
            const float level = uniform(random);
            for (std::uint32_t n = 0; n < kBlock; ++n) {
                samples[n] = run % 2 == 0 ? level * uniform(random) : (n / 2 % 2 == 0 ? level : -level);
            }
            highest = std::max(highest, with_floor.process(0, samples, highest));
            expected = std::max(expected, without.process(0, samples));
        }
        ASSERT_EQ(highest, expected) << run;
    }
}

TEST(TruePeakMeter, SamplesFarBelowTheFloorAreNotSearched) {
    TruePeakMeter meter{1, kBlock};
    const std::vector<float> samples(kBlock, 0.1F);
    for (int block = 0; block < 3; ++block) static_cast<void>(meter.process(0, samples));
    EXPECT_GT(meter.process(0, samples, 0.1F), 0.099F);
    EXPECT_EQ(meter.process(0, samples, 0.5F), 0.0F);
}

TEST(TruePeakMeter, SeesNoPeakInWhatIsNoSound) {
    const auto broken = [](std::uint32_t n) {
        if (n == 1'000) return std::numeric_limits<double>::quiet_NaN();
        if (n == 2'000) return std::numeric_limits<double>::infinity();
        return windowed_sine(0.01, 0.0, n);
    };
    EXPECT_NEAR(meter_peak(broken), 0.5F, 0.05F);
}

}  // namespace
}  // namespace rta::dsp::true_peak_test
