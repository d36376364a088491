// SPDX-License-Identifier: MIT
// A side chain of constant levels says when the gate opens and closes; a constant input shows its gain.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "support/node_bench.h"

namespace rta {
namespace {

using test::NodeBench;
using Values = std::map<std::string, float, std::less<>>;
/// Level of the side chain at a frame.
using Key = std::function<double(std::uint64_t)>;

constexpr double kFramesPerMs = 48.0;

const NodeType& gate() { return *builtin_nodes().find("gate"); }

double gain(double db) { return std::pow(10.0, db / 20.0); }

/// The gains that the gate goes through while its side chain has these levels.
std::vector<float> gains(const Values& values, const Key& key, std::uint64_t frames) {
    NodeBench::Options options;
    options.parameters = values;
    options.signal = [&](std::uint32_t port, std::uint32_t, std::uint64_t frame) {
        return port == 0 ? 1.0F : static_cast<float>(key(frame));
    };
    NodeBench bench{gate(), {{"side_chain", true}}, options};
    return bench.render_channel(frames);
}

/// First frame from `from` on with that gain; the end if there is none.
std::size_t first_at(const std::vector<float>& gains, std::size_t from, float gain) {
    return static_cast<std::size_t>(std::find(gains.begin() + static_cast<std::ptrdiff_t>(from), gains.end(), gain) -
                                    gains.begin());
}

double s_curve(double p) {
    p = std::clamp(p, 0.0, 1.0);
    return p * p * (3.0 - 2.0 * p);
}

TEST(GateNode, OpensHoldsAndClosesInItsTimes) {
    for (const float attack_ms : {0.1F, 1.0F, 30.0F}) {
        for (const float hold_ms : {0.0F, 10.0F}) {
            for (const float release_ms : {5.0F, 100.0F}) {
                const Values values{{"threshold_db", -30.0F},
                                    {"attack_ms", attack_ms},
                                    {"hold_ms", hold_ms},
                                    {"release_ms", release_ms},
                                    {"range_db", -40.0F}};
                constexpr std::size_t kOpens = 1'000;
                constexpr std::size_t kFalls = 5'000;
                const auto out =
                    gains(values, [](std::uint64_t n) { return n >= kOpens && n < kFalls ? 0.5 : 0.0; }, 16'384);
                const double floor = gain(-40.0);
                for (std::size_t n = 0; n < out.size(); ++n) {
                    const double opened = n < kOpens ? 0.0
                                                     : static_cast<double>(n - kOpens + 1) /
                                                           (static_cast<double>(attack_ms) * kFramesPerMs);
                    const double closes = kFalls + static_cast<double>(hold_ms) * kFramesPerMs;
                    const double shut =
                        (static_cast<double>(n) + 1.0 - closes) / (static_cast<double>(release_ms) * kFramesPerMs);
                    const double exact = floor + (1.0 - floor) * std::min(s_curve(opened), 1.0 - s_curve(shut));
                    ASSERT_NEAR(out[n], exact, 1e-6)
                        << "attack " << attack_ms << ", hold " << hold_ms << ", release " << release_ms << ", " << n;
                }
            }
        }
    }
}

TEST(GateNode, OpensAtItsThresholdAndNotBelow) {
    for (const float threshold_db : {-60.0F, -20.0F, 0.0F}) {
        const Values values{{"threshold_db", threshold_db}, {"range_db", -120.0F}};
        const auto at = [&](double db) { return gains(values, [=](std::uint64_t) { return gain(db); }, 1'024).back(); };
        EXPECT_EQ(at(static_cast<double>(threshold_db) - 0.001), 0.0F) << threshold_db;
        EXPECT_EQ(at(static_cast<double>(threshold_db) + 0.001), 1.0F) << threshold_db;
    }
}

TEST(GateNode, StaysOpenWithinItsHysteresis) {
    const Values values{{"threshold_db", -30.0F}, {"hysteresis_db", 6.0F}, {"hold_ms", 1.0F}, {"release_ms", 1.0F}};
    const auto falls_to = [&](double db) {
        return gains(values, [=](std::uint64_t n) { return n < 1'000 ? gain(-29.0) : gain(db); }, 4'096).back();
    };
    EXPECT_EQ(falls_to(-35.99), 1.0F);
    EXPECT_NEAR(falls_to(-36.01), gain(-80.0), 1e-8);
    // What has only ever been between the two has not opened it.
    const auto rises_to = gains(values, [](std::uint64_t n) { return n < 1'000 ? 0.0 : gain(-31.0); }, 4'096);
    EXPECT_NEAR(rises_to.back(), gain(-80.0), 1e-8);
}

TEST(GateNode, HoldsThroughGapsThatAreShorter) {
    const Values values{{"threshold_db", -30.0F}, {"hold_ms", 10.0F}};
    const auto gap = [&](std::uint64_t frames) {
        const auto out =
            gains(values, [=](std::uint64_t n) { return n >= 1'000 && n < 1'000 + frames ? 0.0 : 1.0; }, 4'096);
        return *std::min_element(out.begin() + 1'000, out.end());
    };
    EXPECT_EQ(gap(480), 1.0F);
    EXPECT_LT(gap(481), 1.0F);
}

TEST(GateNode, TurnsBackOnItsWayWithoutAStep) {
    const Values values{{"threshold_db", -30.0F}, {"attack_ms", 20.0F}, {"hold_ms", 0.0F}, {"release_ms", 50.0F}};
    const auto out =
        gains(values, [](std::uint64_t n) { return (n >= 500 && n < 2'500) || n >= 3'700 ? 1.0 : 0.0; }, 8'192);
    EXPECT_LT(first_at(out, 500, 1.0F), 500U + 960U);
    EXPECT_LT(out[3'699], 1.0F);
    EXPECT_GT(out[3'699], 0.1F) << "on its way down";
    // The steepest place of the S, which is 1.5 times as steep as a line.
    for (std::size_t n = 1; n < out.size(); ++n) ASSERT_LT(std::fabs(out[n] - out[n - 1]), 1.51 / 960) << n;
    EXPECT_EQ(out.back(), 1.0F);
}

TEST(GateNode, GatesByItsOwnInputAndLinksItsChannels) {
    const auto sine = [](std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
        const double level = channel == 0 && frame >= 4'800 && frame < 24'000 ? 0.1 : 1e-4;
        return static_cast<float>(level *
                                  std::sin(2.0 * std::numbers::pi * 200.0 * static_cast<double>(frame) / 48'000.0));
    };
    NodeBench::Options options;
    options.parameters = {{"range_db", -120.0F}};
    options.signal = sine;
    NodeBench bench{gate(), {{"channels", 2.0}}, options};
    const NodeBench::Recording out = bench.render(48'000);
    for (std::size_t n = 0; n < 4'800; ++n) ASSERT_EQ(out[0][n], 0.0F);
    for (std::uint32_t channel = 0; channel < 2; ++channel) {
        for (std::size_t n = 4'800 + 120; n < 24'000; ++n) {
            ASSERT_EQ(out[channel][n], sine(0, channel, n)) << "open, to the bit: channel " << channel << ", " << n;
        }
    }
    EXPECT_EQ(out[0].back(), 0.0F);
    EXPECT_EQ(out[1].back(), 0.0F);
}

}  // namespace
}  // namespace rta
