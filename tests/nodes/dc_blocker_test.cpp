// SPDX-License-Identifier: MIT
// Compares with the closed form of the bilinear transform of s / (s + corner) in long double.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "support/analysis.h"
#include "support/node_bench.h"

namespace rta::test::dc_blocker_test {
namespace {

using test::NodeBench;

constexpr long double kPi = 3.141592653589793238462643383279502884L;
constexpr double kRate = 48'000.0;

NodeBench dc_blocker(float frequency_hz, const NodeBench::Signal& signal, double channels = 1) {
    NodeBench::Options options;
    options.parameters = {{"frequency_hz", frequency_hz}};
    options.signal = signal;
    return NodeBench{*builtin_nodes().find("dc_blocker"), {{"channels", channels}}, options};
}

TEST(DcBlockerNode, AnswersAStepAsTheClosedFormDoes) {
    for (const float frequency_hz : {0.1F, 5.0F, 200.0F}) {
        NodeBench bench = dc_blocker(frequency_hz, [](std::uint32_t, std::uint32_t, std::uint64_t) { return 1.0F; });
        const std::vector<float> out = bench.render_channel(480'000);
        const long double tangent = std::tan(kPi * static_cast<long double>(frequency_hz) / 48'000.0L);
        const long double pole = (1.0L - tangent) / (1.0L + tangent);
        long double expected = 1.0L / (1.0L + tangent);
        for (const float sample : out) {
            // One rounding to float, plus the rounding errors of double over half a million steps.
            ASSERT_NEAR(sample, static_cast<double>(expected), 0x1p-24 * static_cast<double>(expected) + 1e-10)
                << frequency_hz << " Hz";
            expected *= pole;
        }
    }
}

TEST(DcBlockerNode, IsAHighPassOfFirstOrder) {
    constexpr double kCorner = 100.0;
    for (const double tone_hz : {25.0, 100.0, 1'000.0, 20'000.0}) {
        const auto tone = [&](std::uint32_t, std::uint32_t, std::uint64_t frame) {
            return static_cast<float>(std::sin(2.0L * kPi * static_cast<long double>(tone_hz) *
                                               static_cast<long double>(frame % 48'000) / 48'000.0L));
        };
        NodeBench bench = dc_blocker(static_cast<float>(kCorner), tone);
        bench.pass(48'000);  // the initial transient has decayed to e^(-2 pi 100)
        const double gain = test::amplitude_at(bench.render_channel(48'000), kRate, tone_hz);
        const double ratio = static_cast<double>(std::tan(kPi * static_cast<long double>(kCorner) / 48'000.0L) /
                                                 std::tan(kPi * static_cast<long double>(tone_hz) / 48'000.0L));
        EXPECT_NEAR(gain, 1.0 / std::sqrt(1.0 + ratio * ratio), 1e-7) << tone_hz << " Hz";
    }
}

TEST(DcBlockerNode, TakesDcAwayAndLeavesTheRest) {
    const auto offset_tone = [](std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
        const double cycles = static_cast<double>(frame % 48) / 48.0;  // 1 kHz
        return static_cast<float>((channel == 0 ? 0.5 : -0.25) + 0.1 * std::sin(2.0 * 3.14159265358979324 * cycles));
    };
    NodeBench bench = dc_blocker(5.0F, offset_tone, 2);
    bench.pass(96'000);  // 0.5 e^(-2 pi 5 2) is below 1e-27
    for (const std::vector<float>& channel : bench.render(48'000)) {
        double sum = 0.0;
        for (const float sample : channel) sum += static_cast<double>(sample);
        // -120 dB relative to the constant; rounding errors of samples of 0.1 average out far below.
        EXPECT_LT(std::fabs(sum / 48'000.0), 0.25e-6);
        EXPECT_NEAR(test::amplitude_at(channel, kRate, 1'000.0), 0.1, 0.1 * 2e-5);  // (5 / 1000)^2 / 2
    }
}

TEST(DcBlockerNode, ComesToRestExactly) {
    NodeBench bench =
        dc_blocker(20.0F, [](std::uint32_t, std::uint32_t, std::uint64_t frame) { return frame < 64 ? 1.0F : 0.0F; });
    bench.pass(64 + 27'000);  // 20 Hz: 1e-30 is reached after 69 time constants of 382 frames
    for (const float sample : bench.render_channel(64)) ASSERT_EQ(sample, 0.0F);
}

TEST(DcBlockerNode, FollowsARampOfItsCornerFrameByFrame) {
    NodeBench bench = dc_blocker(1.0F, [](std::uint32_t, std::uint32_t, std::uint64_t) { return 1.0F; });
    bench.pass(64);
    bench.set("frequency_hz", 100.0F, 960);
    const std::vector<float> out = bench.render_channel(1'280);
    const auto pole_at = [](long double hz) {
        const long double tangent = std::tan(kPi * hz / 48'000.0L);
        return (1.0L - tangent) / (1.0L + tangent);
    };
    long double expected = std::pow(pole_at(1.0L), 64.0L) / (1.0L + std::tan(kPi / 48'000.0L)) / pole_at(1.0L);
    for (std::size_t n = 0; n < out.size(); ++n) {
        const long double part = std::min(1.0L, static_cast<long double>(n) / 960.0L);
        expected *= pole_at(std::pow(100.0L, part));
        ASSERT_NEAR(out[n], static_cast<double>(expected), 2e-7) << n;
    }
}

}  // namespace
}  // namespace rta::test::dc_blocker_test
