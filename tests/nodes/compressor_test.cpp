// SPDX-License-Identifier: MIT
// Compares with the equations of Giannoulis, Massberg and Reiss (2012) in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "support/node_bench.h"

namespace rta::test::compressor_test {
namespace {

using test::NodeBench;
using Values = std::map<std::string, float, std::less<>>;

constexpr double kRateHz = 48'000.0;

const NodeType& compressor() { return *builtin_nodes().find("compressor"); }

double gain(double db) { return std::pow(10.0, db / 20.0); }
double db(double gain) { return 20.0 * std::log10(gain); }

/// Returns the output of the gain computer for a level, in dB.
double static_curve(double level_db, double threshold_db, double ratio, double knee_db) {
    const double over = level_db - threshold_db;
    if (2.0 * over < -knee_db) return level_db;
    if (2.0 * std::fabs(over) <= knee_db && knee_db > 0.0) {
        return level_db + (1.0 / ratio - 1.0) * (over + knee_db / 2.0) * (over + knee_db / 2.0) / (2.0 * knee_db);
    }
    return threshold_db + over / ratio;
}

NodeBench::Signal constant(double level_db) {
    const auto value = static_cast<float>(gain(level_db));
    return [value](std::uint32_t, std::uint32_t, std::uint64_t) { return value; };
}

NodeBench::Signal tone(double frequency_hz, double level_db) {
    return [=](std::uint32_t, std::uint32_t, std::uint64_t frame) {
        const double phase = 2.0 * std::numbers::pi * frequency_hz * static_cast<double>(frame) / kRateHz;
        return static_cast<float>(gain(level_db) * std::sin(phase));
    };
}

NodeBench::Options with(const Values& parameters, const NodeBench::Signal& signal) {
    NodeBench::Options options;
    options.parameters = parameters;
    options.signal = signal;
    return options;
}

TEST(CompressorNode, FollowsItsStaticCurve) {
    for (const float threshold_db : {-40.0F, -20.0F, -6.0F}) {
        for (const float ratio : {1.0F, 2.0F, 4.0F, 100.0F}) {
            for (const float knee_db : {0.0F, 6.0F, 24.0F}) {
                const Values values{{"threshold_db", threshold_db}, {"ratio", ratio},
                                    {"knee_db", knee_db},           {"attack_ms", 1.0F},
                                    {"release_ms", 5.0F},           {"makeup_db", 3.0F}};
                for (double level_db = -60.0; level_db <= 6.0; level_db += 1.5) {
                    const double exact = 3.0 + static_curve(level_db, threshold_db, ratio, knee_db);
                    NodeBench steady{compressor(), {}, with(values, constant(level_db))};
                    steady.pass(4'096);
                    // Error of logarithm and exponential in single precision: 4e-5 dB.
                    ASSERT_NEAR(db(static_cast<double>(steady.render_channel(64).back())), exact, 1e-4)
                        << threshold_db << " dB, " << ratio << ":1, knee " << knee_db << ", level " << level_db;
                }
            }
        }
    }
}

TEST(CompressorNode, FollowsItsStaticCurveForTonesToo) {
    for (const double frequency_hz : {120.0, 1'000.0, 4'700.0}) {
        for (const double level_db : {-30.0, -20.0, -18.0, -10.0, 0.0}) {
            NodeBench bench{compressor(), {}, with({}, tone(frequency_hz, level_db))};
            bench.pass(48'000);
            const std::vector<float> out = bench.render_channel(9'600);
            double square = 0.0;
            for (const float sample : out) square += static_cast<double>(sample) * sample;
            const double peak = std::sqrt(2.0 * square / static_cast<double>(out.size()));
            EXPECT_NEAR(db(peak), static_curve(level_db, -20.0, 4.0, 6.0), 0.1) << frequency_hz << " Hz, " << level_db;
        }
    }
}

/// Returns the gain of a small constant while the side chain is at full scale from 200 ms to 600 ms, otherwise silent.
std::vector<float> gains_over_step(const Values& values, const Settings& more = {}, std::uint64_t frames = 96'000) {
    Settings settings = more;
    settings.emplace("side_chain", true);
    NodeBench bench{compressor(), settings, with(values, [](std::uint32_t port, std::uint32_t, std::uint64_t frame) {
                        if (port == 0) return 0.25F;
                        return frame >= 9'600 && frame < 28'800 ? 1.0F : 0.0F;
                    })};
    std::vector<float> out = bench.render_channel(frames);
    for (float& sample : out) sample *= 4.0F;
    return out;
}

TEST(CompressorNode, AttacksAndReleasesWithItsTimeConstants) {
    for (const float attack_ms : {0.5F, 5.0F, 40.0F}) {
        for (const float release_ms : {10.0F, 100.0F, 300.0F}) {
            const std::vector<float> gains = gains_over_step(
                {{"threshold_db", -40.0F}, {"ratio", 2.0F}, {"attack_ms", attack_ms}, {"release_ms", release_ms}});
            const double full_db = 20.0;
            constexpr std::size_t kHoldFrames = 240;
            double start_db = 0.0;
            for (std::size_t n = 0; n < gains.size(); ++n) {
                double exact = 0.0;
                const double frames_per_ms = kRateHz / 1'000.0;
                if (n >= 9'600 && n < 28'800 + kHoldFrames) {
                    const double frames = static_cast<double>(n - 9'600 + 1);
                    exact = full_db * (1.0 - std::exp(-frames / (static_cast<double>(attack_ms) * frames_per_ms)));
                    start_db = exact;
                } else if (n >= 28'800 + kHoldFrames) {
                    const double frames = static_cast<double>(n - 28'800 - kHoldFrames + 1);
                    exact = start_db * std::exp(-frames / (static_cast<double>(release_ms) * frames_per_ms));
                }
                ASSERT_NEAR(-db(static_cast<double>(gains[n])), exact, 2e-4)
                    << "attack " << attack_ms << ", release " << release_ms << ", frame " << n;
            }
        }
    }
}

TEST(CompressorNode, TheTimeConstantsAreThoseOfTheDefinition) {
    // Independent of the node's formula: 63% of the change after the attack time, 37% left after the release time.
    const std::vector<float> gains =
        gains_over_step({{"threshold_db", -40.0F}, {"ratio", 2.0F}, {"attack_ms", 20.0F}, {"release_ms", 100.0F}});
    const double part_attacked = -db(static_cast<double>(gains[9'600 + 959])) / 20.0;
    const double part_left = -db(static_cast<double>(gains[28'800 + 240 + 4'799])) / 20.0;
    EXPECT_NEAR(part_attacked, 0.632, 0.001);
    EXPECT_NEAR(part_left, 0.368, 0.001);
}

TEST(CompressorNode, DucksByItsSideChain) {
    NodeBench bench{compressor(),
                    {{"side_chain", true}, {"channels", 2.0}},
                    with({{"threshold_db", -30.0F},
                          {"ratio", 100.0F},
                          {"knee_db", 0.0F},
                          {"attack_ms", 1.0F},
                          {"release_ms", 50.0F}},
                         [](std::uint32_t port, std::uint32_t channel, std::uint64_t frame) {
                             if (port == 0) return channel == 0 ? 0.5F : -0.125F;
                             return channel == 1 && frame >= 4'800 && frame < 9'600 ? 1.0F : 0.0F;
                         })};
    const NodeBench::Recording out = bench.render(96'000);
    ASSERT_EQ(out.size(), 2U);
    EXPECT_EQ(out[0][4'799], 0.5F) << "the level of `in` is ignored";
    EXPECT_NEAR(db(static_cast<double>(out[0][9'599]) / 0.5), -30.0 * 0.99, 1e-3);
    EXPECT_NEAR(db(static_cast<double>(out[1][9'599]) / -0.125), -30.0 * 0.99, 1e-3) << "channels are linked";
    EXPECT_EQ(out[0].back(), 0.5F) << "the gain returns to 1, bit-exactly";
}

TEST(CompressorNode, LooksAheadAndSaysSo) {
    const NodeType& type = compressor();
    const ResolvedSettings settings =
        ResolvedSettings::resolve(type.settings, {{"look_ahead_ms", 5.0}}, "node").value();
    EXPECT_EQ(type.create({kRateHz, 64, settings}).value()->latency_frames(), 240U);
    const ResolvedSettings none = ResolvedSettings::resolve(type.settings, {}, "node").value();
    EXPECT_EQ(type.create({kRateHz, 64, none}).value()->latency_frames(), 0U);

    // Below the threshold: the input, delayed by 240 frames, bit-exact.
    NodeBench quiet{type, {{"look_ahead_ms", 5.0}}, with({}, tone(997.0, -30.0))};
    const std::vector<float> late = quiet.render_channel(4'096);
    NodeBench now{type, {}, with({}, tone(997.0, -30.0))};
    const std::vector<float> prompt = now.render_channel(4'096);
    for (std::size_t n = 240; n < late.size(); ++n) ASSERT_EQ(late[n], prompt[n - 240]) << n;

    // The gain is reduced before a step is output, and stays reduced until the end of the step is output.
    const Values values{{"threshold_db", -40.0F}, {"ratio", 2.0F}, {"attack_ms", 0.5F}, {"release_ms", 50.0F}};
    const std::vector<float> gains = gains_over_step(values, {{"look_ahead_ms", 5.0}});
    for (std::size_t n = 9'600 + 240; n < 28'800 + 240; ++n) {
        ASSERT_NEAR(db(static_cast<double>(gains[n])), -20.0, 0.01) << n;
    }
}

TEST(CompressorNode, IsTransparentBelowItsThreshold) {
    NodeBench bench{compressor(), {}, with({}, tone(997.0, -24.0))};
    const std::vector<float> out = bench.render_channel(4'096);
    const auto in = tone(997.0, -24.0);
    for (std::size_t n = 0; n < out.size(); ++n) ASSERT_EQ(out[n], in(0, 0, n)) << n;
}

TEST(CompressorNode, ReducesHoweverLoudTheSoundIs) {
    for (const float level : {1e3F, 1e15F, 1e30F, 3.4e38F}) {
        const auto signal = [=](std::uint32_t, std::uint32_t, std::uint64_t) { return level; };
        NodeBench bench{compressor(), {}, with({{"threshold_db", -80.0F}, {"ratio", 100.0F}}, signal)};
        bench.pass(9'600);
        const auto in_db = static_cast<double>(20.0F * std::log10(level));
        const double reduction_db = std::min(in_db, 600.0) - static_curve(std::min(in_db, 600.0), -80.0, 100.0, 6.0);
        EXPECT_NEAR(db(static_cast<double>(bench.render_channel(64).back())), in_db - reduction_db, 1e-3) << level;
    }
}

}  // namespace
}  // namespace rta::test::compressor_test
