// SPDX-License-Identifier: MIT
#include "rt/denormal_guard.h"

#include <gtest/gtest.h>

#include <limits>
#include <type_traits>

namespace rta::denormal_guard_test {
namespace {

static_assert(!std::is_copy_constructible_v<DenormalGuard> && !std::is_move_constructible_v<DenormalGuard>);

/// Multiplies at run time; the compiler must not fold the constants.
float product(float a, float b) {
    const volatile float first = a;
    const volatile float second = b;
    return first * second;
}

constexpr float kSmallestNormal = std::numeric_limits<float>::min();
constexpr float kDenormal = kSmallestNormal / 16.0F;

TEST(DenormalGuard, KnowsThisMachine) { ASSERT_TRUE(DenormalGuard::supported()); }

TEST(DenormalGuard, FlushesResults) {
    EXPECT_NE(product(kSmallestNormal, 0.25F), 0.0F);
    const DenormalGuard guard;
    EXPECT_EQ(product(kSmallestNormal, 0.25F), 0.0F);
    EXPECT_EQ(product(kSmallestNormal, 1.0F), kSmallestNormal) << "normal numbers are unchanged";
}

TEST(DenormalGuard, CountsDenormalOperandsAsZero) {
    EXPECT_NE(product(kDenormal, 0x1p100F), 0.0F);
    const DenormalGuard guard;
    EXPECT_EQ(product(kDenormal, 0x1p100F), 0.0F);
}

TEST(DenormalGuard, GivesTheThreadItsOwnModeBack) {
    {
        const DenormalGuard outer;
        {
            const DenormalGuard inner;
            EXPECT_EQ(product(kSmallestNormal, 0.25F), 0.0F);
        }
        EXPECT_EQ(product(kSmallestNormal, 0.25F), 0.0F) << "the outer guard is still active";
    }
    EXPECT_EQ(product(kSmallestNormal, 0.25F), kSmallestNormal / 4.0F);
    EXPECT_EQ(product(kDenormal, 0x1p100F), kDenormal * 0x1p100F);
}

}  // namespace
}  // namespace rta::denormal_guard_test
