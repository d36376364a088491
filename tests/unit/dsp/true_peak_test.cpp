// SPDX-License-Identifier: MIT
// Against sines, whose true peak is their amplitude, and an impulse, whose true peak is itself.
#include "dsp/true_peak.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <vector>

#include "dsp/audio_buffer.h"

namespace rta::dsp {
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
    // Cycles a frame; up to 0.35 nothing counts twice.
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
    EXPECT_NE(std::count(reference.begin(), reference.end(), 0.0F), 0) << "quiet chunks are passed over";
    for (const std::uint32_t block_size : {16U, 256U, 1'024U}) {
        EXPECT_EQ(peaks_of(bursts, 64, 0.5F, block_size), reference) << block_size;
    }
    const auto all = peaks_of(bursts, 64, 0.0F);
    for (std::size_t n = 0; n < all.size(); ++n) {
        if (all[n] < 1.0F) continue;
        ASSERT_NEAR(reference[n], all[n], 0.02) << n;
    }
}

}  // namespace
}  // namespace rta::dsp
