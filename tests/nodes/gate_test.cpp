// SPDX-License-Identifier: MIT
// A side chain with constant levels opens and closes the gate; a constant input shows its gain.
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

namespace rta::test::gate_test {
namespace {

using test::NodeBench;
using Values = std::map<std::string, float, std::less<>>;
/// Level of the side chain at a frame.
using Key = std::function<double(std::uint64_t)>;

constexpr double kRateHz = 48'000.0;
constexpr double kFramesPerMs = 48.0;
/// Minimum duration of a peak: half a period of 20 Hz.
constexpr double kPeakMs = 25.0;

const NodeType& gate() { return *builtin_nodes().find("gate"); }

double gain(double db) { return std::pow(10.0, db / 20.0); }

/// Returns the gains of the gate for these levels of its side chain.
std::vector<float> gains(const Values& values, const Key& key, std::uint64_t frames, double look_ahead_ms = 0.0) {
    NodeBench::Options options;
    options.parameters = values;
    options.signal = [&](std::uint32_t port, std::uint32_t, std::uint64_t frame) {
        return port == 0 ? 1.0F : static_cast<float>(key(frame));
    };
    NodeBench bench{gate(), {{"side_chain", true}, {"look_ahead_ms", look_ahead_ms}}, options};
    return bench.render_channel(frames);
}

/// Returns the first frame from `from` on with this gain; the end if not found.
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
        for (const float hold_ms : {0.0F, 25.0F, 60.0F}) {
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
                    const double closes = kFalls + std::max(static_cast<double>(hold_ms), kPeakMs) * kFramesPerMs;
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
    // A level between the two thresholds does not open the gate.
    const auto rises_to = gains(values, [](std::uint64_t n) { return n < 1'000 ? 0.0 : gain(-31.0); }, 4'096);
    EXPECT_NEAR(rises_to.back(), gain(-80.0), 1e-8);
}

TEST(GateNode, HoldsThroughGapsThatAreShorter) {
    const Values values{{"threshold_db", -30.0F}, {"hold_ms", 40.0F}};
    const auto gap = [&](std::uint64_t frames) {
        const auto out =
            gains(values, [=](std::uint64_t n) { return n >= 1'000 && n < 1'000 + frames ? 0.0 : 1.0; }, 4'096);
        return *std::min_element(out.begin() + 1'000, out.end());
    };
    EXPECT_EQ(gap(1'920), 1.0F);
    EXPECT_LT(gap(1'921), 1.0F);
}

TEST(GateNode, TurnsBackOnItsWayWithoutAStep) {
    const Values values{{"threshold_db", -30.0F}, {"attack_ms", 20.0F}, {"hold_ms", 0.0F}, {"release_ms", 50.0F}};
    const auto out =
        gains(values, [](std::uint64_t n) { return (n >= 500 && n < 2'500) || n >= 4'900 ? 1.0 : 0.0; }, 8'192);
    EXPECT_LT(first_at(out, 500, 1.0F), 500U + 960U);
    EXPECT_LT(out[4'899], 1.0F);
    EXPECT_GT(out[4'899], 0.1F) << "closing";
    // Maximum slope of the S-curve, 1.5 times that of a line.
    for (std::size_t n = 1; n < out.size(); ++n) ASSERT_LT(std::fabs(out[n] - out[n - 1]), 1.51 / 960) << n;
    EXPECT_EQ(out.back(), 1.0F);
}

/// Returns the static opening of the gate at a level.
double static_opening(double level_db, double threshold_db, double knee_db) {
    if (knee_db == 0.0) return level_db >= threshold_db ? 1.0 : 0.0;
    return std::clamp((level_db - threshold_db) / knee_db + 0.5, 0.0, 1.0);
}

TEST(GateNode, FollowsItsStaticCurveThroughTheKnee) {
    for (const float threshold_db : {-60.0F, -30.0F, -6.0F}) {
        for (const float knee_db : {0.0F, 1.0F, 6.0F, 24.0F}) {
            for (const float range_db : {-120.0F, -40.0F, -6.0F}) {
                const Values values{{"threshold_db", threshold_db}, {"hysteresis_db", 0.0F},
                                    {"knee_db", knee_db},           {"attack_ms", 1.0F},
                                    {"release_ms", 1.0F},           {"range_db", range_db}};
                const double floor = range_db <= -120.0F ? 0.0 : gain(static_cast<double>(range_db));
                for (int step = -9; step <= 10; ++step) {
                    const double over_db = 1.5 * step - 0.75;
                    const double level_db = static_cast<double>(threshold_db) + over_db;
                    const double opening =
                        static_opening(level_db, static_cast<double>(threshold_db), static_cast<double>(knee_db));
                    const double exact = floor + (1.0 - floor) * s_curve(opening);
                    // Rising from silence, and falling from full scale.
                    for (const double before : {0.0, 1.0}) {
                        const auto out =
                            gains(values, [=](std::uint64_t n) { return n < 480 ? before : gain(level_db); }, 4'096);
                        // The single-precision logarithm has an error of 1e-6 dB, and levels are rounded.
                        ASSERT_NEAR(out.back(), exact, 1e-5 / std::max(static_cast<double>(knee_db), 1.0))
                            << threshold_db << " dB, knee " << knee_db << ", range " << range_db << ", level "
                            << level_db << ", from " << before;
                    }
                }
            }
        }
    }
}

TEST(GateNode, FollowsItsStaticCurveForTonesToo) {
    for (const double frequency_hz : {25.0, 120.0, 1'000.0, 4'700.0}) {
        for (const double over_db : {-4.0, -2.0, 0.0, 2.0, 4.0}) {
            const Values values{
                {"threshold_db", -30.0F}, {"hysteresis_db", 0.0F}, {"knee_db", 6.0F}, {"range_db", -60.0F}};
            const auto out = gains(
                values,
                [=](std::uint64_t n) {
                    return gain(-30.0 + over_db) *
                           std::sin(2.0 * std::numbers::pi * frequency_hz * static_cast<double>(n) / kRateHz);
                },
                24'000);
            const double opening = static_opening(over_db, 0.0, 6.0);
            const double exact = gain(-60.0) + (1.0 - gain(-60.0)) * s_curve(opening);
            // Samples miss the peaks of the highest tone by less than 0.1 dB.
            const double tolerance = frequency_hz > 1'000.0 ? 0.03 : 1e-4;
            for (std::size_t n = 12'000; n < out.size(); ++n) {
                ASSERT_NEAR(out[n], exact, tolerance) << frequency_hz << " Hz, " << over_db << ", frame " << n;
            }
        }
    }
}

TEST(GateNode, HasTheHysteresisInItsKneeToo) {
    const Values values{{"threshold_db", -30.0F}, {"hysteresis_db", 6.0F}, {"knee_db", 4.0F},
                        {"hold_ms", 0.0F},        {"release_ms", 1.0F},    {"range_db", -40.0F}};
    const auto from = [&](double before_db, double db) {
        return gains(values, [=](std::uint64_t n) { return n < 1'000 ? gain(before_db) : gain(db); }, 8'192).back();
    };
    const double floor = gain(-40.0);
    const auto at = [&](double opening) { return floor + (1.0 - floor) * s_curve(opening); };
    for (const double db : {-40.0, -37.5, -36.0, -34.5, -33.0, -31.5, -30.0, -28.5, -27.0}) {
        EXPECT_NEAR(from(-90.0, db), at(static_opening(db, -30.0, 4.0)), 1e-5) << "up to " << db;
        EXPECT_NEAR(from(-10.0, db), at(static_opening(db + 6.0, -30.0, 4.0)), 1e-5) << "down to " << db;
    }
    // A level that opened the gate half-way keeps that opening.
    EXPECT_NEAR(from(-30.0, -34.0), at(0.5), 1e-5);
    EXPECT_NEAR(from(-30.0, -36.5), at(static_opening(-30.5, -30.0, 4.0)), 1e-5);
}

TEST(GateNode, FollowsADecayThroughTheKneeFromTheHoldTimeOn) {
    // 40 dB per second: through a knee of 20 dB in half a second.
    constexpr double kHoldMs = 100.0;
    const Values values{{"threshold_db", -30.0F}, {"hysteresis_db", 0.0F},
                        {"knee_db", 20.0F},       {"hold_ms", static_cast<float>(kHoldMs)},
                        {"release_ms", 20.0F},    {"range_db", -120.0F}};
    const auto out =
        gains(values, [](std::uint64_t n) { return gain(-10.0 - 40.0 * static_cast<double>(n) / kRateHz); }, 48'000);
    const auto exact = [](double frame) {
        return s_curve(static_opening(-10.0 - 40.0 * (frame - kPeakMs * kFramesPerMs) / kRateHz, -30.0, 20.0));
    };
    constexpr double kTop = 12'000.0;  // -20 dB, the upper end of the knee
    // The level falls below the knee when the peak hold ends.
    const auto held = static_cast<std::size_t>(kTop + kHoldMs * kFramesPerMs - 2.0);
    EXPECT_EQ(out[held], 1.0F);
    EXPECT_LT(out[held + 10], 1.0F);
    for (std::size_t n = held + 2'000; n < out.size(); ++n)
        ASSERT_NEAR(out[n], exact(static_cast<double>(n)), 1e-4) << n;
}

TEST(GateNode, DoesNotChatterBetweenThePeaksOfLowTones) {
    for (const double frequency_hz : {20.0, 27.5, 50.0, 82.4}) {
        for (const double level_db : {-6.0, -15.9}) {
            NodeBench::Options options;
            options.parameters = {
                {"threshold_db", -20.0F}, {"attack_ms", 0.05F}, {"hold_ms", 0.0F}, {"release_ms", 5.0F}};
            options.signal = [=](std::uint32_t, std::uint32_t, std::uint64_t frame) {
                const double turns = frequency_hz * static_cast<double>(frame) / kRateHz;
                return static_cast<float>(gain(level_db) * std::sin(2.0 * std::numbers::pi * turns));
            };
            NodeBench bench{gate(), {}, options};
            const std::vector<float> out = bench.render_channel(48'000);
            for (std::size_t n = 4'800; n < out.size(); ++n) {
                ASSERT_EQ(out[n], options.signal(0, 0, n)) << frequency_hz << " Hz, " << level_db << " dB, " << n;
            }
        }
    }
}

TEST(GateNode, LooksAheadAndSaysSo) {
    for (const double look_ahead_ms : {0.0, 0.01, 1.0, 5.0, 50.0}) {
        const auto frames = static_cast<std::uint32_t>(look_ahead_ms * kFramesPerMs + 0.5);
        const ResolvedSettings settings =
            ResolvedSettings::resolve(gate().settings, {{"look_ahead_ms", look_ahead_ms}}, "node").value();
        EXPECT_EQ(gate().create({kRateHz, 64, settings}).value()->latency_frames(), frames);

        // An impulse measures the actual latency.
        NodeBench::Options options;
        options.signal = [](std::uint32_t, std::uint32_t, std::uint64_t n) { return n == 1'000 ? 0.5F : 0.0F; };
        options.parameters = {{"attack_ms", 0.05F}};
        NodeBench bench{gate(), {{"look_ahead_ms", look_ahead_ms}}, options};
        const std::vector<float> out = bench.render_channel(8'192);
        EXPECT_EQ(std::ranges::max_element(out) - out.begin(), 1'000 + frames) << look_ahead_ms;
    }
}

TEST(GateNode, LetsTheFirstPeakOfASoundThrough) {
    // A drum: the first sample is the loudest.
    const auto drum = [](std::uint32_t, std::uint32_t, std::uint64_t frame) {
        if (frame < 4'800) return 1e-4F;
        const double t = static_cast<double>(frame - 4'800) / kRateHz;
        return static_cast<float>(std::exp(-t / 0.02) * std::cos(2.0 * std::numbers::pi * 200.0 * t));
    };
    NodeBench::Options options;
    options.signal = drum;
    options.parameters = {{"attack_ms", 5.0F}, {"hold_ms", 0.0F}, {"range_db", -120.0F}};
    NodeBench late{gate(), {{"look_ahead_ms", 5.0}}, options};
    const std::vector<float> out = late.render_channel(48'000);
    constexpr std::size_t kLatency = 240;
    // Open, bit-exact, until the output has been below the threshold for the minimum duration of a peak.
    const auto quiet = static_cast<std::size_t>(0.02 * 54.0 / 20.0 * std::log(10.0) * kRateHz);
    for (std::size_t n = 4'800; n < 4'800 + quiet; ++n) ASSERT_EQ(out[n + kLatency], drum(0, 0, n)) << n;
    for (std::size_t n = 0; n < 4'800; ++n) ASSERT_EQ(out[n], 0.0F) << "closed until the drum is detected: " << n;
    EXPECT_EQ(out.back(), 0.0F);

    // Without look-ahead the attack of the drum is cut off.
    NodeBench prompt{gate(), {}, options};
    EXPECT_LT(std::fabs(prompt.render_channel(9'600)[4'800]), 0.01F);
}

TEST(GateNode, StaysOpenUntilWhatItLookedAtHasComeOut) {
    const Values values{{"threshold_db", -30.0F}, {"hold_ms", 40.0F}, {"release_ms", 1.0F}};
    for (const double look_ahead_ms : {0.0, 5.0, 50.0}) {
        const auto late = static_cast<std::size_t>(look_ahead_ms * kFramesPerMs);
        const auto out = gains(values, [](std::uint64_t n) { return n < 5'000 ? 1.0 : 0.0; }, 16'384, look_ahead_ms);
        const std::size_t closes = 5'000 + late + 1'920;
        for (std::size_t n = 2'500; n < closes; ++n) ASSERT_EQ(out[n], 1.0F) << look_ahead_ms << ", " << n;
        EXPECT_LT(out[closes], 1.0F) << look_ahead_ms;
    }
}

TEST(GateNode, IsBypassedInTime) {
    const auto signal = [](std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
        const double turns = (440.0 + channel) * static_cast<double>(frame) / kRateHz;
        return static_cast<float>(0.25 * std::sin(2.0 * std::numbers::pi * turns));
    };
    NodeBench::Options options;
    options.signal = signal;
    options.parameters = {{"attack_ms", 0.05F}};
    NodeBench bench{gate(), {{"look_ahead_ms", 5.0}, {"channels", 2.0}}, options};
    NodeBench::Recording out = bench.render(9'600);
    const auto append = [&](const NodeBench::Recording& more) {
        for (std::size_t channel = 0; channel < 2; ++channel) {
            out[channel].insert(out[channel].end(), more[channel].begin(), more[channel].end());
        }
    };
    bench.set("bypass", 1.0F);
    append(bench.render(4'800));
    bench.set("bypass", 0.0F);
    append(bench.render(4'800));
    for (std::uint32_t channel = 0; channel < 2; ++channel) {
        for (std::size_t n = 2'400; n < out[channel].size(); ++n) {
            // The open gate equals the bypassed signal, except for the rounding errors of the crossfade.
            ASSERT_NEAR(out[channel][n], signal(0, channel, n - 240), 1e-7) << channel << ", " << n;
        }
    }
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
            ASSERT_EQ(out[channel][n], sine(0, channel, n)) << "open, bit-exact: channel " << channel << ", " << n;
        }
    }
    EXPECT_EQ(out[0].back(), 0.0F);
    EXPECT_EQ(out[1].back(), 0.0F);
}

}  // namespace
}  // namespace rta::test::gate_test
