// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "dsp/gliding_delay.h"

namespace rta::dsp::gliding_delay_test {
namespace {

constexpr std::uint32_t kBlock = 64;
constexpr std::uint32_t kMaximum = 480;

double tone(double frame, double frequency) { return std::sin(2.0 * std::numbers::pi * frequency * frame); }

/// Delays an endless tone. Frequencies are in cycles per frame.
std::vector<float> render(GlidingDelay& line, double frequency, std::uint32_t begin, std::uint32_t blocks) {
    std::vector<float> heard;
    std::vector<float> samples(kBlock);
    for (std::uint32_t frame = begin; frame < begin + blocks * kBlock; frame += kBlock) {
        line.start_block(frame);
        for (std::uint32_t channel = 0; channel < 2; ++channel) {
            for (std::uint32_t i = 0; i < kBlock; ++i) samples[i] = static_cast<float>(tone(frame + i, frequency));
            line.process(channel, samples, samples);
        }
        line.advance();
        heard.insert(heard.end(), samples.begin(), samples.end());
    }
    return heard;
}

TEST(GlidingDelay, DelaysByWholeFramesBitForBitAtRest) {
    for (const std::uint32_t delay : {0U, 1U, 7U, 64U, kMaximum}) {
        GlidingDelay line{2, kBlock, kMaximum, delay};
        const std::vector<float> heard = render(line, 0.013, 0, 32);
        for (std::size_t i = kMaximum; i < heard.size(); ++i)
            ASSERT_EQ(heard[i], static_cast<float>(tone(static_cast<double>(i) - delay, 0.013))) << delay;
    }
}

TEST(GlidingDelay, GlidesWithAnErrorThatFallsWithTheDelay) {
    constexpr double kFrequency = 1000.0 / 48'000.0;
    GlidingDelay line{2, kBlock, kMaximum, 0};
    render(line, kFrequency, 0, 32);
    line.move_to(24, 32 * kBlock, 2400, 1);
    const std::vector<float> heard = render(line, kFrequency, 32 * kBlock, 40);
    for (std::size_t i = 0; i < heard.size(); ++i) {
        const double delay = std::min(24.0, static_cast<double>(i) / 100.0);
        const double exact = tone(static_cast<double>(32 * kBlock + i) - delay, kFrequency);
        // Linear interpolation: at most the second derivative / 8.
        const double tolerance = delay < 1.0 ? std::pow(2.0 * std::numbers::pi * kFrequency, 2.0) / 8.0 : 1e-4;
        ASSERT_NEAR(heard[i], exact, delay > 3.0 ? 5e-6 : tolerance + 1e-6) << i;
    }
}

TEST(GlidingDelay, ReturnsFromWhereItIs) {
    constexpr double kFrequency = 0.01;
    GlidingDelay line{2, kBlock, kMaximum, 100};
    render(line, kFrequency, 0, 32);
    line.move_to(0, 32 * kBlock, 10'000, 1);
    const std::vector<float> down = render(line, kFrequency, 32 * kBlock, 50);
    line.move_to(100, 82 * kBlock, 10'000, 2);
    const std::vector<float> up = render(line, kFrequency, 82 * kBlock, 200);
    const double turned_at = 100.0 - 50.0 * kBlock / 100.0;
    EXPECT_NEAR(down.back(), tone(82.0 * kBlock - 1.0 - turned_at, kFrequency), 1e-3);
    EXPECT_NEAR(up.front(), tone(82.0 * kBlock - turned_at, kFrequency), 1e-5);
    EXPECT_EQ(up.back(), static_cast<float>(tone(282.0 * kBlock - 1.0 - 100.0, kFrequency)));
}

TEST(GlidingDelay, KeepsAConstant) {
    GlidingDelay line{1, kBlock, kMaximum, 0};
    std::vector<float> samples(kBlock);
    line.move_to(kMaximum, 0, 4800, 1);
    for (std::uint32_t frame = 0; frame < 100 * kBlock; frame += kBlock) {
        samples.assign(kBlock, 0.5F);
        line.start_block(frame);
        line.process(0, samples, samples);
        line.advance();
        // Before the first frame there was silence, and the delay reaches back to it.
        for (std::uint32_t i = 0; i < kBlock; ++i) ASSERT_TRUE(frame + i < 10 || std::abs(samples[i] - 0.5F) < 1e-6F);
    }
}

}  // namespace
}  // namespace rta::dsp::gliding_delay_test
