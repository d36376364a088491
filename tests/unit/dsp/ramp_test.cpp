// SPDX-License-Identifier: MIT
#include "dsp/ramp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace rta::dsp::ramp_test {
namespace {

static_assert(std::is_trivially_copyable_v<Ramp>);

using Shape = Ramp::Shape;

/// Relative error of half a unit in the last place of a float; the arithmetic of the ramp adds less than 1% of that.
constexpr double kRounding = 0x1p-24 * 1.01;

double closed_form(Shape shape, double start, double target, double part) {
    return shape == Shape::linear ? start + (target - start) * part : start * std::pow(target / start, part);
}

std::vector<float> render(const Ramp& ramp, std::uint64_t first, std::size_t count, std::size_t block) {
    std::vector<float> values(count, NAN);
    for (std::size_t done = 0; done < count; done += block) {
        ramp.render(first + done, std::span{values}.subspan(done, std::min(block, count - done)));
    }
    return values;
}

void expect_same_bits(float a, float b, std::uint64_t frame) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(a), std::bit_cast<std::uint32_t>(b)) << a << ", " << b << " at " << frame;
}

struct Case {
    Shape shape;
    float start;
    float target;
    std::uint64_t start_frame;
    std::uint32_t length;
};

void PrintTo(const Case& c, std::ostream* stream) {
    *stream << (c.shape == Shape::linear ? "linear " : "logarithmic ") << c.start << " -> " << c.target
            << " from frame " << c.start_frame << " in " << c.length;
}

class RampTest : public testing::TestWithParam<Case> {
 protected:
    RampTest() : ramp_{GetParam().start, GetParam().shape} {
        ramp_.retarget(GetParam().target, GetParam().start_frame, GetParam().length);
    }
    static std::uint64_t end_frame() { return GetParam().start_frame + GetParam().length; }

    Ramp ramp_;
};

TEST_P(RampTest, FollowsItsClosedForm) {
    const Case& c = GetParam();
    const std::uint32_t stride = std::max(1U, c.length / 5'000);
    for (std::uint32_t elapsed = 0; elapsed <= c.length; elapsed += stride) {
        const double expected = closed_form(c.shape, c.start, c.target, static_cast<double>(elapsed) / c.length);
        // Relative to the larger end if the ramp crosses zero, because the steps have that precision only.
        const double scale = c.shape == Shape::linear ? std::max(std::fabs(c.start), std::fabs(c.target)) : expected;
        ASSERT_NEAR(ramp_.value_at(c.start_frame + elapsed), expected, kRounding * scale) << elapsed;
    }
}

TEST_P(RampTest, MeetsBothEndsExactlyAndStaysBetweenThem) {
    const Case& c = GetParam();
    expect_same_bits(ramp_.value_at(c.start_frame), c.start, c.start_frame);
    expect_same_bits(ramp_.value_at(end_frame()), c.target, end_frame());
    expect_same_bits(ramp_.value_at(end_frame() + 1), c.target, end_frame() + 1);
    expect_same_bits(ramp_.value_at(end_frame() + 1'000'000'000), c.target, end_frame() + 1'000'000'000);
    if (c.start_frame > 0) expect_same_bits(ramp_.value_at(c.start_frame - 1), c.start, c.start_frame - 1);
    EXPECT_EQ(ramp_.target(), c.target);
    EXPECT_FALSE(ramp_.at_rest(c.start_frame));
    EXPECT_FALSE(ramp_.at_rest(end_frame() - 1));
    EXPECT_TRUE(ramp_.at_rest(end_frame()));

    const float up = c.target > c.start ? 1.0F : -1.0F;
    float last = c.start;
    const std::uint32_t stride = std::max(1U, c.length / 5'000);
    for (std::uint32_t elapsed = 0; elapsed < c.length; elapsed += stride) {
        const float value = ramp_.value_at(c.start_frame + elapsed);
        ASSERT_GE(up * (value - last), 0.0F) << "turns back at " << elapsed;
        last = value;
    }
    // Just before the end, the logarithmic shape may round to one unit beyond the target.
    ASSERT_GE(up * (c.target - last), -std::fabs(c.target) * 0x1p-23F);
}

TEST_P(RampTest, RendersTheBitsOfEachFrameWhateverTheBlock) {
    const Case& c = GetParam();
    const std::uint64_t before = std::min<std::uint64_t>(c.start_frame, 100);
    for (const std::uint64_t first : {c.start_frame - before, c.start_frame + c.length / 2, end_frame() - 13}) {
        constexpr std::size_t kCount = 3 * 1024;
        for (const std::size_t block : {1U, 4U, 16U, 64U, 100U, 256U, 1024U}) {
            const std::vector<float> values = render(ramp_, first, kCount, block);
            for (std::size_t i = 0; i < kCount; ++i) expect_same_bits(values[i], ramp_.value_at(first + i), first + i);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, RampTest,
    testing::Values(Case{Shape::linear, 0.0F, 1.0F, 0, 960}, Case{Shape::linear, 1.0F, 0.0F, 64, 480},
                    Case{Shape::linear, -0.7F, 0.9F, 1'000'003, 997}, Case{Shape::linear, 0.1F, 0.3F, 17, 64},
                    Case{Shape::linear, 0.0F, 1.0F, (1ULL << 50U) + 5, 28'800'000},  // ten minutes, after 700 years
                    Case{Shape::linear, 0.25F, 15.85F, 5, 115'200'000},              // ten minutes at 192 kHz
                    Case{Shape::logarithmic, 440.0F, 880.0F, 0, 960},
                    Case{Shape::logarithmic, 20'000.0F, 20.0F, 63, 961},
                    Case{Shape::logarithmic, 0.01F, 24'000.0F, 1ULL << 40U, 48'000},
                    Case{Shape::logarithmic, 440.0F, 440.1F, 128, 28'800'000}));

TEST(Ramp, RestsUntilItIsSentSomewhere) {
    for (const Ramp& ramp : {Ramp{}, Ramp{0.0F}, Ramp{0.0F, Shape::logarithmic}}) {
        EXPECT_TRUE(ramp.at_rest(0));
        EXPECT_EQ(ramp.value_at(0), 0.0F);
        EXPECT_EQ(ramp.value_at(1ULL << 60U), 0.0F);
        for (const float value : render(ramp, 0, 64, 16)) EXPECT_EQ(value, 0.0F);
    }
    const Ramp ramp{0.5F};
    EXPECT_EQ(ramp.target(), 0.5F);
    for (const float value : render(ramp, 12'345, 64, 16)) EXPECT_EQ(value, 0.5F);
}

TEST(Ramp, OfLengthZeroJumps) {
    for (const Shape shape : {Shape::linear, Shape::logarithmic}) {
        Ramp ramp{1.0F, shape};
        ramp.retarget(5.0F, 100, 0);
        EXPECT_EQ(ramp.value_at(99), 1.0F);
        EXPECT_EQ(ramp.value_at(100), 5.0F);
        EXPECT_FALSE(ramp.at_rest(99));
        EXPECT_TRUE(ramp.at_rest(100));
        const std::vector<float> values = render(ramp, 90, 20, 20);
        for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], i < 10 ? 1.0F : 5.0F) << i;
    }
}

TEST(Ramp, JumpsAtTheVeryFirstFrame) {
    Ramp ramp{1.0F};
    ramp.retarget(5.0F, 0, 0);
    EXPECT_TRUE(ramp.at_rest(0));
    EXPECT_EQ(ramp.value_at(0), 5.0F);
}

TEST(Ramp, LogarithmicIsLinearWhereAnEndIsNotAboveZero) {
    for (const float start : {0.0F, -1.0F, 1.0F}) {
        Ramp logarithmic{start, Shape::logarithmic};
        Ramp linear{start, Shape::linear};
        for (Ramp* ramp : {&logarithmic, &linear}) ramp->retarget(start == 1.0F ? 0.0F : 2.0F, 0, 128);
        for (std::uint64_t frame = 0; frame < 130; ++frame) {
            expect_same_bits(logarithmic.value_at(frame), linear.value_at(frame), frame);
        }
    }
}

TEST(Ramp, SentElsewhereInMidRampStartsFromWhereItIs) {
    for (const Shape shape : {Shape::linear, Shape::logarithmic}) {
        Ramp ramp{1.0F, shape};
        ramp.retarget(4.0F, 0, 1'000);
        const float there = ramp.value_at(300);
        ramp.retarget(0.5F, 300, 200);
        expect_same_bits(ramp.value_at(300), there, 300);
        EXPECT_LT(ramp.value_at(301), there);
        EXPECT_EQ(ramp.value_at(500), 0.5F);
        EXPECT_TRUE(ramp.at_rest(500));
    }
}

TEST(Ramp, GoesOnAsItDidUntilAStartThatLiesAhead) {
    for (const Shape shape : {Shape::linear, Shape::logarithmic}) {
        Ramp undisturbed{1.0F, shape};
        undisturbed.retarget(4.0F, 0, 1'000);
        Ramp ramp = undisturbed;
        ramp.retarget(1.0F, 637, 640);
        const std::vector<float> expected = render(undisturbed, 600, 37, 37);
        const std::vector<float> values = render(ramp, 600, 64, 64);
        for (std::size_t i = 0; i < 37; ++i) expect_same_bits(values[i], expected[i], 600 + i);
        expect_same_bits(values[37], undisturbed.value_at(637), 637);
        for (std::size_t i = 38; i < 64; ++i) ASSERT_LT(values[i], values[i - 1]);
        EXPECT_EQ(ramp.value_at(637 + 640), 1.0F);
    }
}

TEST(Ramp, SentTwiceAtOneFrameKeepsWhatCameBefore) {
    Ramp undisturbed{0.0F};
    undisturbed.retarget(1.0F, 0, 1'000);
    Ramp ramp = undisturbed;
    ramp.retarget(7.0F, 500, 100);
    ramp.retarget(0.0F, 500, 500);
    for (std::uint64_t frame = 0; frame <= 500; ++frame) {
        expect_same_bits(ramp.value_at(frame), undisturbed.value_at(frame), frame);
    }
    EXPECT_EQ(ramp.value_at(750), 0.25F);
    ramp.retarget(3.0F, 750, 0);
    ramp.retarget(4.0F, 750, 100);
    EXPECT_EQ(ramp.value_at(749), 0.251F);
    EXPECT_EQ(ramp.value_at(750), 3.0F) << "a step takes effect immediately, also for later changes in the same frame";
    EXPECT_EQ(ramp.value_at(850), 4.0F);
}

TEST(Ramp, WhatHasNotBegunIsWithdrawnAndWhatHasGoesOn) {
    Ramp ramp{0.0F};
    ramp.retarget(1.0F, 100, 50);
    ramp.withdraw(99);
    EXPECT_EQ(ramp.target(), 0.0F);
    EXPECT_TRUE(ramp.at_rest(99));
    EXPECT_EQ(ramp.value_at(125), 0.0F);

    ramp.retarget(1.0F, 200, 50);
    ramp.withdraw(200);
    EXPECT_EQ(ramp.target(), 1.0F) << "it starts in this frame";
    EXPECT_EQ(ramp.value_at(225), 0.5F);

    // An active ramp, followed by one that is withdrawn and requested again.
    ramp.retarget(0.0F, 240, 10);
    ramp.withdraw(220);
    EXPECT_EQ(ramp.value_at(245), 0.9F) << "the rise continues";
    ramp.retarget(0.0F, 245, 10);
    EXPECT_EQ(ramp.value_at(225), 0.5F) << "until then";
    EXPECT_EQ(ramp.value_at(245), 0.9F);
    EXPECT_EQ(ramp.value_at(250), 0.45F);
    EXPECT_EQ(ramp.value_at(255), 0.0F);
}

}  // namespace
}  // namespace rta::dsp::ramp_test
