// SPDX-License-Identifier: MIT
#include "text/format_number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace rta {
namespace {

TEST(DecimalSum, IsThatOfTheWrittenNumbers) {
    EXPECT_EQ(decimal_sum(0.1F, 0.2F), 0.3F);
    EXPECT_EQ(decimal_sum(-11.9F, 0.1F), -11.8F);
    EXPECT_EQ(decimal_sum(-12.0F, 1.0F), -11.0F);
    EXPECT_EQ(decimal_sum(0.0F, -0.0F), 0.0F);
    EXPECT_EQ(decimal_sum(1e-7F, 2.0F), 2.0F);
    float sum = -120.0F;
    for (int i = 0; i < 1'320; ++i) sum = decimal_sum(sum, 0.1F);
    EXPECT_EQ(sum, 12.0F);
    for (int i = 0; i < 132'000; ++i) sum = decimal_sum(sum, -0.001F);
    EXPECT_EQ(sum, -120.0F);
}

TEST(DecimalSum, IsTheNearestFloatAtTheEndsOfTheRange) {
    constexpr float kMost = std::numeric_limits<float>::max();
    EXPECT_EQ(decimal_sum(kMost, 0.1F), kMost);
    EXPECT_EQ(decimal_sum(kMost, kMost), std::numeric_limits<float>::infinity());
    EXPECT_EQ(decimal_sum(std::numeric_limits<float>::denorm_min(), 1.0F), 1.0F);
    EXPECT_TRUE(std::isnan(decimal_sum(std::numeric_limits<float>::quiet_NaN(), 1.0F)));
    EXPECT_EQ(decimal_sum(20'000.0F, 0.001F), 20'000.001F);
}

}  // namespace
}  // namespace rta
