// SPDX-License-Identifier: MIT
// butterworth_filter and linkwitz_riley_filter, which differ in their magnitude only.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "nodes/filter_reference.h"

namespace rta::test::butterworth_filter_test {
namespace {

using namespace test;

constexpr double kRate = 48'000.0;

const NodeType& butterworth() { return *builtin_nodes().find("butterworth_filter"); }
const NodeType& linkwitz_riley() { return *builtin_nodes().find("linkwitz_riley_filter"); }

Settings settings_of(bool low, int order) {
    return {{"kind", std::string{low ? "lowpass" : "highpass"}}, {"order", static_cast<double>(order)}};
}

std::vector<float> impulse_response(const NodeType& type, bool low, int order, float hz) {
    NodeBench::Options options;
    options.parameters = {{"frequency_hz", hz}};
    options.signal = impulse;
    NodeBench bench{type, settings_of(low, order), options};
    return bench.render_channel(hz < 100.0F ? 96'000 : 16'384);
}

/// The prototype's squared magnitude is 1 / (1 + w^2n), where the bilinear transform warps w.
double butterworth_db(int order, bool low, double at_hz, double corner_hz) {
    const double warped = std::tan(std::numbers::pi * at_hz / kRate) / std::tan(std::numbers::pi * corner_hz / kRate);
    return -10.0 * std::log10(1.0 + std::pow(low ? warped : 1.0 / warped, 2 * order));
}

void expect_levels(const NodeType& type, int order, int slope, int times) {
    for (const float hz : {20.0F, 1'000.0F, 20'000.0F}) {
        for (const bool low : {true, false}) {
            const auto response = impulse_response(type, low, order, hz);
            EXPECT_NEAR(db(std::abs(transform(response, hz, kRate))), -3.0103 * times, 0.005) << order << ", " << hz;
            int compared = 0;
            for (const double at_hz : frequencies(10.0, 23'500.0, 40)) {
                const double expected = times * butterworth_db(slope, low, at_hz, hz);
                if (expected < -80.0) continue;
                ASSERT_NEAR(db(std::abs(transform(response, at_hz, kRate))), expected, 0.01)
                    << type.name << (low ? " lowpass" : " highpass") << " of order " << order << " and " << hz
                    << " Hz at " << at_hz << " Hz";
                ++compared;
            }
            EXPECT_GE(compared, 3);
        }
    }
}

TEST(ButterworthFilterNode, IsMaximallyFlatAtEveryOrder) {
    for (int order = 1; order <= 8; ++order) expect_levels(butterworth(), order, order, 1);
}

TEST(LinkwitzRileyFilterNode, IsTwoButterworthFiltersOfHalfTheOrder) {
    for (const int order : {2, 4, 6, 8}) expect_levels(linkwitz_riley(), order, order / 2, 2);
}

/// All poles and no zeros: the phase of a low-pass follows from its magnitude. At the corner frequency it is -45 degrees
/// for each order.
TEST(ButterworthFilterNode, TurnsThePhaseBy45DegreesPerOrderAtItsCorner) {
    for (int order = 1; order <= 8; ++order) {
        for (const bool low : {true, false}) {
            const Complex at = transform(impulse_response(butterworth(), low, order, 1'000.0F), 1'000.0, kRate);
            const double expected = low ? -45.0 * order : 45.0 * order;
            EXPECT_NEAR(std::remainder(degrees(std::arg(at)) - expected, 360.0), 0.0, 0.1) << order << low;
        }
    }
}

/// As the help of `order` describes.
TEST(LinkwitzRileyFilterNode, SumsFlatWithTheOtherSideWhichIsInvertedAtOrder2And6) {
    for (const int order : {2, 4, 6, 8}) {
        const float sign = order == 2 || order == 6 ? -1.0F : 1.0F;
        auto sum = impulse_response(linkwitz_riley(), true, order, 800.0F);
        const auto high = impulse_response(linkwitz_riley(), false, order, 800.0F);
        for (std::size_t n = 0; n < sum.size(); ++n) sum[n] += sign * high[n];
        for (const double at_hz : frequencies(20.0, 23'500.0, 40))
            ASSERT_NEAR(db(std::abs(transform(sum, at_hz, kRate))), 0.0, 0.01) << order << " at " << at_hz << " Hz";
    }
}

/// The crossover node has the same low-pass, bit by bit.
TEST(LinkwitzRileyFilterNode, IsASideOfTheCrossover) {
    for (const int order : {2, 4, 6, 8}) {
        NodeBench::Options options;
        options.parameters = {{"frequency_1_hz", 700.0F}};
        options.signal = impulse;
        NodeBench crossover{*builtin_nodes().find("crossover"), {{"order", static_cast<double>(order)}}, options};
        const auto ways = crossover.render(16'384);
        EXPECT_EQ(ways[0], impulse_response(linkwitz_riley(), true, order, 700.0F)) << order;
        auto high = impulse_response(linkwitz_riley(), false, order, 700.0F);
        if (order == 2 || order == 6) {
            for (float& sample : high) sample = -sample;
        }
        for (std::size_t n = 0; n < high.size(); ++n) ASSERT_NEAR(ways[1][n], high[n], 1e-6) << order;
    }
}

TEST(ButterworthFilterNode, TellsTheResponseThatItHas) {
    for (const auto& [type, orders] :
         {std::pair{&butterworth(), std::vector{1, 2, 5, 8}}, std::pair{&linkwitz_riley(), std::vector{2, 4, 6, 8}}}) {
        for (const int order : orders) {
            for (const bool low : {true, false}) {
                const auto settings = ResolvedSettings::resolve(type->settings, settings_of(low, order), "test");
                ASSERT_TRUE(settings);
                const auto response = impulse_response(*type, low, order, 300.0F);
                for (const double at_hz : frequencies(20.0, 23'000.0, 12)) {
                    const Complex told = told_response(*type, *settings, {300.0F}, at_hz);
                    EXPECT_LT(std::abs(told - transform(response, at_hz, kRate)), 1e-5) << order << " at " << at_hz;
                }
            }
        }
    }
}

}  // namespace
}  // namespace rta::test::butterworth_filter_test
