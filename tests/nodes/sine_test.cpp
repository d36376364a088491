// SPDX-License-Identifier: MIT
// Compares with the sine of libm in long double. tests/unit/dsp tests the spectrum and the drift of the kernel.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/node_bench.h"

namespace rta::test::sine_test {
namespace {

using test::NodeBench;

constexpr long double kTwoPi = 2.0L * 3.141592653589793238462643383279502884L;
/// Error of the kernel; levels below 0 dB reduce it.
constexpr double kTolerance = 2.5e-7;

/// Returns a sine of amplitude 1 after `cycles` cycles.
double exact_sine(long double cycles) { return static_cast<double>(std::sin(kTwoPi * cycles)); }

const NodeType& sine() { return *builtin_nodes().find("sine"); }

NodeBench sine_at(float frequency_hz, float gain_db, double sample_rate_hz = 48'000.0) {
    NodeBench::Options options;
    options.sample_rate_hz = sample_rate_hz;
    options.parameters = {{"frequency_hz", frequency_hz}, {"gain_db", gain_db}};
    return NodeBench{sine(), {}, options};
}

TEST(SineNode, IsA440HzToneAtMinus20DbByDefault) {
    NodeBench bench{sine()};
    const std::vector<float> out = bench.render_channel(48'000);
    for (std::size_t n = 0; n < out.size(); ++n) {
        ASSERT_NEAR(out[n], 0.1 * exact_sine(440.0L * static_cast<long double>(n) / 48'000.0L), kTolerance) << n;
    }
}

TEST(SineNode, HasTheFrequencyAndTheLevelAskedFor) {
    for (const double sample_rate_hz : {44'100.0, 48'000.0, 96'000.0}) {
        for (const float frequency_hz : {0.01F, 20.0F, 999.9F, 15'000.0F}) {
            for (const float gain_db : {-60.0F, 0.0F}) {
                NodeBench bench = sine_at(frequency_hz, gain_db, sample_rate_hz);
                const std::vector<float> out = bench.render_channel(6'400);
                const double amplitude = std::pow(10.0, static_cast<double>(gain_db) / 20.0);
                for (std::size_t n = 0; n < out.size(); ++n) {
                    const long double cycles = static_cast<long double>(frequency_hz) * static_cast<long double>(n) /
                                               static_cast<long double>(sample_rate_hz);
                    ASSERT_NEAR(out[n], amplitude * exact_sine(cycles), kTolerance)
                        << frequency_hz << " Hz at " << gain_db << " dB and rate " << sample_rate_hz << ", frame " << n;
                }
            }
        }
    }
}

TEST(SineNode, IsSilentAtMinus120Db) {
    NodeBench bench = sine_at(440.0F, -120.0F);
    for (const float sample : bench.render_channel(1'024)) ASSERT_EQ(sample, 0.0F);
}

TEST(SineNode, GlidesInEqualRatiosWithoutABreakInThePhase) {
    NodeBench bench = sine_at(200.0F, 0.0F);
    std::vector<float> out = bench.render_channel(640);
    constexpr std::uint32_t kLength = 960;
    bench.set("frequency_hz", 3'200.0F, kLength);
    const std::vector<float> rest = bench.render_channel(1'920);
    out.insert(out.end(), rest.begin(), rest.end());

    long double cycles = 0.0L;
    for (std::size_t n = 0; n < out.size(); ++n) {
        // The frequency of a frame is a float with a relative error of 2^-24; in the worst case all errors have the
        // same sign.
        const double drift = 6.3 * static_cast<double>(cycles) * 0x1p-23;
        ASSERT_NEAR(out[n], exact_sine(cycles), kTolerance + drift) << n;
        const long double part = n < 640 ? 0.0L : std::min(1.0L, static_cast<long double>(n - 640) / kLength);
        cycles += 200.0L * std::pow(16.0L, part) / 48'000.0L;
    }
}

TEST(SineNode, FollowsARampOfItsLevelFrameByFrame) {
    NodeBench bench = sine_at(1'000.0F, -120.0F);
    bench.pass(64);
    bench.set("gain_db", 0.0F, 960);
    const std::vector<float> out = bench.render_channel(1'280);
    for (std::size_t n = 0; n < out.size(); ++n) {
        const double gain = std::min(1.0, static_cast<double>(n) / 960.0);
        const double exact = gain * exact_sine(1'000.0L * static_cast<long double>(n + 64) / 48'000.0L);
        ASSERT_NEAR(out[n], exact, kTolerance) << n;
    }
}

TEST(SineNode, CarriesTheSameToneOnEveryChannel) {
    NodeBench bench{sine(), {{"channels", 5.0}}};
    bench.set("gain_db", 0.0F);
    const NodeBench::Recording recording = bench.render(2'048);
    ASSERT_EQ(recording.size(), 5U);
    for (const std::vector<float>& channel : recording) EXPECT_EQ(channel, recording[0]);
}

TEST(SineNode, PlaysNothingAboveHalfTheSampleRate) {
    NodeBench at_half = sine_at(4'000.0F, 0.0F, 8'000.0);
    NodeBench above = sine_at(24'000.0F, 0.0F, 8'000.0);
    EXPECT_EQ(above.render(1'024), at_half.render(1'024)) << "aliasing";
}

}  // namespace
}  // namespace rta::test::sine_test
