// SPDX-License-Identifier: MIT
// The gain reduction that compressor, limiter and gate report, against their static curves and against their output.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "graph/level_tap.h"
#include "support/node_bench.h"

namespace rta::test::gain_reduction_test {
namespace {

using Values = std::map<std::string, float, std::less<>>;

double gain(double db) { return std::pow(10.0, db / 20.0); }
double reduction_db(float gain) { return -20.0 * std::log10(static_cast<double>(gain)); }

NodeBench::Signal constant(double level_db) {
    const auto value = static_cast<float>(gain(level_db));
    return [value](std::uint32_t, std::uint32_t, std::uint64_t) { return value; };
}

NodeBench make(const char* type, const Values& values, const NodeBench::Signal& signal, Settings settings = {},
               std::uint32_t block_size = 64) {
    NodeBench::Options options;
    options.parameters = values;
    options.signal = signal;
    options.block_size = block_size;
    return NodeBench{*builtin_nodes().find(type), std::move(settings), options};
}

/// Takes all records.
std::optional<dsp::GainRange> taken(NodeBench& bench) {
    std::optional<dsp::GainRange> sum;
    while (const auto record = bench.level_tap()->take()) {
        EXPECT_EQ(record->channel_count, 0U);
        if (!sum) sum.emplace();
        sum->add(record->gain);
    }
    return sum;
}

/// Returns the reduction after `frames`, in whole quanta.
dsp::GainRange settled(NodeBench bench, std::uint64_t frames) {
    bench.pass(frames);
    bench.level_tap()->enable(true);
    bench.pass(1'024);
    const auto range = taken(bench);
    EXPECT_TRUE(range);
    return range.value_or(dsp::GainRange{});
}

TEST(GainReduction, OfACompressorIsItsStaticCurveWithoutTheMakeUpGain) {
    for (const double threshold_db : {-80.0, -40.0, -20.0, 0.0}) {
        for (const double ratio : {1.0, 2.0, 4.0, 100.0}) {
            for (const double level_db : {-100.0, -41.0, -20.0, -6.0, 0.0, 12.0}) {
                const Values values{{"threshold_db", static_cast<float>(threshold_db)},
                                    {"ratio", static_cast<float>(ratio)},
                                    {"knee_db", 0.0F},
                                    {"attack_ms", 0.05F},
                                    {"makeup_db", 24.0F}};
                const double expected = std::max(level_db - threshold_db, 0.0) * (1.0 - 1.0 / ratio);
                const dsp::GainRange range = settled(make("compressor", values, constant(level_db)), 4'096);
                ASSERT_NEAR(reduction_db(range.smallest), expected, 0.01)
                    << threshold_db << " dB, " << ratio << ":1, level " << level_db;
                ASSERT_NEAR(reduction_db(range.last), expected, 0.01);
            }
        }
    }
}

TEST(GainReduction, OfALimiterBringsTheLevelToItsCeiling) {
    for (const double ceiling_db : {-60.0, -12.0, -1.0, 0.0}) {
        for (const double over_db : {-6.0, -0.1, 0.5, 6.0, 30.0}) {
            // A constant has no peaks between samples.
            const Values values{{"ceiling_db", static_cast<float>(ceiling_db)}};
            const dsp::GainRange range = settled(make("limiter", values, constant(ceiling_db + over_db)), 48'000);
            ASSERT_NEAR(reduction_db(range.smallest), std::max(over_db, 0.0), 0.1) << ceiling_db << ", " << over_db;
            ASSERT_NEAR(reduction_db(range.last), std::max(over_db, 0.0), 0.1);
        }
    }
}

TEST(GainReduction, OfALimiterHasItsMaximumAtAPeakAndReturns) {
    NodeBench bench =
        make("limiter", {{"ceiling_db", 0.0F}, {"release_ms", 10.0F}},
             [](std::uint32_t, std::uint32_t, std::uint64_t frame) {
                 // A hump of 2 ms, too slow to be higher between samples.
                 if (frame < 4'800 || frame > 4'896) return 0.0F;
                 const double turns = static_cast<double>(frame - 4'800) / 96.0;
                 return static_cast<float>(gain(12.0) * 0.5 * (1.0 - std::cos(2.0 * std::numbers::pi * turns)));
             });
    bench.level_tap()->enable(true);
    bench.pass(24'576);
    const auto range = taken(bench);
    ASSERT_TRUE(range);
    EXPECT_NEAR(reduction_db(range->smallest), 12.0, 0.1);
    EXPECT_EQ(range->last, 1.0F) << "after 40 time constants of the release";
}

TEST(GainReduction, OfAGateIsItsRangeWhileItIsClosedAnd0WhileItIsOpen) {
    for (const double range_db : {-119.9, -80.0, -20.0, -0.5, 0.0}) {
        const Values values{{"threshold_db", -40.0F}, {"range_db", static_cast<float>(range_db)}};
        const dsp::GainRange closed = settled(make("gate", values, constant(-60.0)), 48'000);
        EXPECT_NEAR(reduction_db(closed.smallest), -range_db, 0.01);
        EXPECT_NEAR(reduction_db(closed.last), -range_db, 0.01);
        const dsp::GainRange open = settled(make("gate", values, constant(-20.0)), 48'000);
        EXPECT_EQ(open.smallest, 1.0F);
        EXPECT_EQ(open.last, 1.0F);
    }
    const dsp::GainRange silent = settled(make("gate", {{"range_db", -120.0F}}, constant(-90.0)), 48'000);
    EXPECT_EQ(silent.smallest, 0.0F) << "-120 dB is silence";
}

/// The largest reduction is that of the loudest ratio between input and output, in whatever blocks.
TEST(GainReduction, OfMovingGainsIsThatOfTheOutput) {
    const auto signal = [](std::uint32_t, std::uint32_t, std::uint64_t frame) {
        return frame / 3'000 % 2 == 0 ? 0.9F : 0.01F;
    };
    for (const char* const type : {"compressor", "gate"}) {
        for (const std::uint32_t block_size : {16U, 64U, 1'024U}) {
            NodeBench bench = make(type, {{"threshold_db", -20.0F}}, signal, {}, block_size);
            bench.level_tap()->enable(true);
            std::uint64_t frame = 0;
            for (int quantum = 0; quantum < 40; ++quantum) {
                const std::vector<float> out = bench.render_channel(1'024);
                double smallest = 1.0;
                double last = 1.0;
                for (const float sample : out) {
                    last = static_cast<double>(sample) / static_cast<double>(signal(0, 0, frame++));
                    smallest = std::min(smallest, last);
                }
                const auto range = taken(bench);
                ASSERT_TRUE(range);
                ASSERT_NEAR(static_cast<double>(range->smallest), smallest, 1e-5) << type << ", quantum " << quantum;
                ASSERT_NEAR(static_cast<double>(range->last), last, 1e-5) << type << ", quantum " << quantum;
            }
        }
    }
}

TEST(GainReduction, IsNotMeasuredUnlessItIsWanted) {
    for (const char* const type : {"compressor", "limiter", "gate"}) {
        NodeBench bench = make(type, {}, constant(0.0));
        bench.pass(10'000);
        EXPECT_FALSE(bench.level_tap()->take()) << type;
        bench.level_tap()->enable(true);
        bench.pass(10'000);
        EXPECT_TRUE(bench.level_tap()->take()) << type;
    }
}

TEST(GainReduction, ChangesNoSample) {
    for (const char* const type : {"compressor", "limiter", "gate"}) {
        std::vector<float> heard[2];
        for (const bool wanted : {false, true}) {
            NodeBench bench = make(type, {}, [](std::uint32_t, std::uint32_t, std::uint64_t frame) {
                return static_cast<float>(std::sin(0.1 * static_cast<double>(frame)) *
                                          std::exp2(static_cast<double>(frame % 9'000) / 900.0 - 8.0));
            });
            bench.level_tap()->enable(wanted);
            heard[wanted ? 1 : 0] = bench.render_channel(20'000);
        }
        EXPECT_EQ(heard[0], heard[1]) << type;
    }
}

}  // namespace
}  // namespace rta::test::gain_reduction_test
