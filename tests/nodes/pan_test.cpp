// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <utility>

#include "support/node_bench.h"

namespace rta::test::pan_test {
namespace {

using test::NodeBench;

/// Two float rounding errors near 1: the factor and, on ramps, the position.
constexpr double kTolerance = 0x1p-22;

float ones(std::uint32_t, std::uint32_t channel, std::uint64_t) { return channel == 0 ? 1.0F : 0.5F; }

NodeBench pan(const std::string& law, double channels, float position) {
    NodeBench::Options options;
    options.parameters = {{"position", position}};
    options.signal = ones;
    return NodeBench{*builtin_nodes().find("pan"), {{"law", law}, {"channels", channels}}, options};
}

std::pair<double, double> sides(const std::string& law, double channels, float position) {
    NodeBench bench = pan(law, channels, position);
    const NodeBench::Recording out = bench.render(64);
    return {out[0][63], out[1][63]};
}

double right_of(const std::string& law, double position) {
    const double linear = (1.0 + position) / 2.0;
    const double sine = std::sin(std::numbers::pi / 2.0 * linear);
    if (law == "minus_3_db") return sine;
    return law == "minus_6_db" ? linear : std::sqrt(linear * sine);
}

TEST(PanNode, FollowsItsLaw) {
    for (const std::string law : {"minus_3_db", "minus_4_5_db", "minus_6_db"}) {
        for (int i = -32; i <= 32; ++i) {
            const float position = static_cast<float>(i) / 32.0F;
            const auto [left, right] = sides(law, 1, position);
            EXPECT_NEAR(left, right_of(law, -static_cast<double>(position)), kTolerance) << law << " at " << position;
            EXPECT_NEAR(right, right_of(law, static_cast<double>(position)), kTolerance) << law << " at " << position;
            if (law == "minus_3_db") {
                EXPECT_NEAR(left * left + right * right, 1.0, kTolerance) << position;
            }
            if (law == "minus_6_db") {
                EXPECT_NEAR(left + right, 1.0, kTolerance) << position;
            }
        }
    }
}

TEST(PanNode, HasTheLevelOfItsNameInTheMiddle) {
    for (const auto& [law, level_db] :
         {std::pair{"minus_3_db", -3.0103}, std::pair{"minus_4_5_db", -4.5154}, std::pair{"minus_6_db", -6.0206}}) {
        const auto [left, right] = sides(law, 1, 0.0F);
        EXPECT_NEAR(20.0 * std::log10(left), level_db, 1e-4);
        EXPECT_EQ(left, right);
    }
}

TEST(PanNode, IsExactAtBothEnds) {
    for (const std::string law : {"minus_3_db", "minus_4_5_db", "minus_6_db"}) {
        EXPECT_EQ(sides(law, 1, -1.0F), (std::pair{1.0, 0.0})) << law;
        EXPECT_EQ(sides(law, 1, 1.0F), (std::pair{0.0, 1.0})) << law;
        EXPECT_EQ(sides(law, 2, -1.0F), (std::pair{1.0, 0.0})) << law;
        EXPECT_EQ(sides(law, 2, 1.0F), (std::pair{0.0, 0.5})) << law;
    }
}

TEST(PanNode, BalancesAStereoInputByTurningOneSideDown) {
    for (const std::string law : {"minus_3_db", "minus_4_5_db", "minus_6_db"}) {
        EXPECT_EQ(sides(law, 2, 0.0F), (std::pair{1.0, 0.5})) << law;
        for (const double position : {0.125, 0.5, 0.875}) {
            const double quieter = right_of(law, -position) / right_of(law, 0.0);
            const auto [left, right] = sides(law, 2, static_cast<float>(position));
            EXPECT_NEAR(left, quieter, kTolerance) << law << " at " << position;
            EXPECT_EQ(right, 0.5);
            const auto [kept, turned_down] = sides(law, 2, static_cast<float>(-position));
            EXPECT_EQ(kept, 1.0);
            EXPECT_NEAR(turned_down, 0.5 * quieter, kTolerance) << law << " at " << -position;
        }
    }
}

TEST(PanNode, KeepsThePowerWhileItMoves) {
    NodeBench bench = pan("minus_3_db", 1, -1.0F);
    bench.pass(64);
    bench.set("position", 1.0F, 960);
    const NodeBench::Recording out = bench.render(1'280);
    for (std::size_t n = 0; n < out[0].size(); ++n) {
        const double left = out[0][n];
        const double right = out[1][n];
        const double position = -1.0 + 2.0 * std::min(1.0, static_cast<double>(n) / 960.0);
        ASSERT_NEAR(left * left + right * right, 1.0, kTolerance) << n;
        ASSERT_NEAR(right, right_of("minus_3_db", position), kTolerance) << n;
    }
}

}  // namespace
}  // namespace rta::test::pan_test
