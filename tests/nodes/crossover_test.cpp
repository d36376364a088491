// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nodes/filter_reference.h"

namespace rta::test::crossover_test {
namespace {

using namespace test;

const NodeType& type() { return *builtin_nodes().find("crossover"); }

constexpr double kRate = 48'000.0;

Settings settings_of(int ways, int order, double channels = 1.0) {
    return {{"ways", static_cast<double>(ways)}, {"order", static_cast<double>(order)}, {"channels", channels}};
}

NodeBench crossover(int ways, int order, const std::vector<float>& crossings_hz,
                    const NodeBench::Signal& signal = impulse, double sample_rate_hz = kRate) {
    NodeBench::Options options;
    options.sample_rate_hz = sample_rate_hz;
    options.signal = signal;
    for (std::size_t i = 0; i < crossings_hz.size(); ++i) {
        options.parameters["frequency_" + std::to_string(i + 1) + "_hz"] = crossings_hz[i];
    }
    return NodeBench{type(), settings_of(ways, order), options};
}

std::vector<float> sum_of(const NodeBench::Recording& ways) {
    std::vector<float> sum(ways[0].size());
    for (const auto& way : ways) {
        for (std::size_t n = 0; n < sum.size(); ++n) sum[n] += way[n];
    }
    return sum;
}

struct Case {
    int ways;
    int order;
    std::vector<float> crossings_hz;
};

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const int order : {2, 4, 6, 8}) {
        all.push_back({2, order, {1'500.0F}});
        all.push_back({2, order, {80.0F}});
        all.push_back({3, order, {300.0F, 3'000.0F}});
        all.push_back({4, order, {120.0F, 900.0F, 6'000.0F}});
        all.push_back({4, order, {500.0F, 600.0F, 700.0F}});
        all.push_back({3, order, {3'000.0F, 300.0F}});  // out of order
        all.push_back({4, order, {6'000.0F, 900.0F, 120.0F}});
    }
    return all;
}

TEST(CrossoverNode, SumsFlatHoweverItsCrossingsLie) {
    for (const Case& c : cases()) {
        NodeBench bench = crossover(c.ways, c.order, c.crossings_hz);
        const auto sum = sum_of(bench.render(24'000));
        for (const double at_hz : frequencies(20.0, 23'500.0, 60)) {
            ASSERT_NEAR(db(std::abs(transform(sum, at_hz, kRate))), 0.0, 0.01)
                << c.ways << " ways of order " << c.order << " at " << at_hz << " Hz";
        }
    }
}

/// Squared Butterworth response of half the order, from the analogue prototype with the frequency warped by the
/// bilinear transform.
double level_db(int order, double at_hz, double crossing_hz, bool low) {
    const double warped = std::tan(std::numbers::pi * at_hz / kRate) / std::tan(std::numbers::pi * crossing_hz / kRate);
    return -db(1.0 + std::pow(low ? warped : 1.0 / warped, order));
}

TEST(CrossoverNode, HasLinkwitzAndRileysSlopes) {
    for (const int order : {2, 4, 6, 8}) {
        const float crossing_hz = 1'000.0F;
        NodeBench bench = crossover(2, order, {crossing_hz});
        const auto ways = bench.render(8'192);
        EXPECT_NEAR(db(std::abs(transform(ways[0], crossing_hz, kRate))), -6.0206, 0.01);
        EXPECT_NEAR(db(std::abs(transform(ways[1], crossing_hz, kRate))), -6.0206, 0.01);
        for (const double at_hz : frequencies(50.0, 20'000.0, 30)) {
            for (const bool low : {true, false}) {
                const double expected = level_db(order, at_hz, crossing_hz, low);
                if (expected < -80.0) continue;
                ASSERT_NEAR(db(std::abs(transform(ways[low ? 0 : 1], at_hz, kRate))), expected, 0.01)
                    << "order " << order << " at " << at_hz << " Hz";
            }
        }
        // Slope over one octave, far below the crossover frequency: 12, 24, 36 and 48 dB.
        const double octave_hz = order == 2 ? 30.0 : order == 4 ? 100.0 : order == 6 ? 150.0 : 250.0;
        const double octave_db =
            db(std::abs(transform(ways[1], 2.0 * octave_hz, kRate) / transform(ways[1], octave_hz, kRate)));
        EXPECT_NEAR(octave_db, 6.0206 * order, 0.1);
    }
}

TEST(CrossoverNode, KeepsItsWaysInPhase) {
    for (const Case& c : cases()) {
        NodeBench bench = crossover(c.ways, c.order, c.crossings_hz);
        const auto ways = bench.render(24'000);
        const auto sum = sum_of(ways);
        for (std::size_t i = 0; i < c.crossings_hz.size(); ++i) {
            // Bands have the phase of the sum, or the opposite phase beyond the next crossover of order 2 or 6.
            for (const auto& way : ways) {
                const Complex at = transform(way, c.crossings_hz[i], kRate);
                if (std::abs(at) < 1e-3) continue;
                const double turn = degrees(std::arg(at / transform(sum, c.crossings_hz[i], kRate)));
                EXPECT_NEAR(std::sin(turn * std::numbers::pi / 180.0), 0.0, 0.01);
            }
        }
    }
}

TEST(CrossoverNode, SumsToTheSameAllpassWhileItsCrossingsMove) {
    for (const int order : {2, 4, 6, 8}) {
        NodeBench bench = crossover(4, order, {120.0F, 900.0F, 6'000.0F}, white_noise);
        bench.pass(4'096);
        bench.set("frequency_1_hz", 500.0F, 3'000);
        bench.set("frequency_3_hz", 200.0F, 2'000);
        double in = 0.0;
        double out = 0.0;
        const std::uint64_t first = bench.frame();
        const auto sum = sum_of(bench.render(48'000));
        for (std::size_t n = 0; n < sum.size(); ++n) {
            in += std::pow(static_cast<double>(white_noise(0, 0, first + n)), 2);
            out += std::pow(static_cast<double>(sum[n]), 2);
        }
        // A moving crossover is not exactly an all-pass, but the energy must stay the same.
        EXPECT_NEAR(10.0 * std::log10(out / in), 0.0, 0.1) << order;
    }
}

TEST(CrossoverNode, StaysBoundedWhateverItsParametersJumpTo) {
    for (const double rate : {8'000.0, 48'000.0, 192'000.0}) {
        for (const int order : {2, 4, 6, 8}) {
            Dice dice{9};
            NodeBench bench = crossover(4, order, {}, white_noise, rate);
            const auto specs = bench.layout().parameters;
            for (int block = 0; block < 2'000; ++block) {
                for (const ParameterSpec& spec : specs) {
                    const double chance = dice.between(0.0, 3.0);
                    bench.set(spec.name, chance < 1.0 ? spec.minimum : spec.maximum, chance < 2.0 ? 0 : 8);
                }
                bench.render_block();
                for (std::size_t way = 0; way < 4; ++way) {
                    // Butterworth sections overshoot by a few times their input; there are fourteen in series.
                    for (const float sample : bench.output(way).channel(0)) ASSERT_LT(std::fabs(sample), 1e3F);
                }
            }
        }
    }
}

TEST(CrossoverNode, TellsTheResponseThatItHas) {
    for (const Case& c : cases()) {
        const auto settings = ResolvedSettings::resolve(type().settings, settings_of(c.ways, c.order), "test");
        ASSERT_TRUE(settings);
        NodeBench bench = crossover(c.ways, c.order, c.crossings_hz);
        const auto ways = bench.render(24'000);
        for (const double at_hz : frequencies(20.0, 23'000.0, 12)) {
            for (std::uint32_t way = 0; way < ways.size(); ++way) {
                const Complex told = told_response(type(), *settings, c.crossings_hz, at_hz, way);
                EXPECT_LT(std::abs(told - transform(ways[way], at_hz, kRate)), 1e-5) << way << " at " << at_hz;
            }
        }
    }
}

TEST(CrossoverNode, IsTheSameOnEveryTargetWithin1e5) {
    NodeBench::Recording reference;
    for_each_target([&](std::string_view target) {
        NodeBench bench = crossover(4, 8, {120.0F, 900.0F, 6'000.0F}, white_noise);
        bench.pass(1'024);
        bench.set("frequency_2_hz", 2'000.0F, 1'500);
        const auto recording = bench.render(8'192);
        if (reference.empty()) reference = recording;
        for (std::size_t way = 0; way < recording.size(); ++way) {
            for (std::size_t n = 0; n < recording[way].size(); ++n) {
                ASSERT_NEAR(recording[way][n], reference[way][n], 1e-5) << target << ", way " << way + 1;
            }
        }
    });
}

TEST(CrossoverNode, RefusesOrdersThatThereAreNone) {
    for (const double order : {3.0, 5.0, 7.0}) {
        const auto refused = ResolvedSettings::resolve(type().settings, {{"order", order}}, "test");
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
        EXPECT_NE(refused.error().sentence.find("one of 2, 4, 6, 8"), std::string::npos);
    }
}

}  // namespace
}  // namespace rta::test::crossover_test
