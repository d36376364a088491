// SPDX-License-Identifier: MIT
// When fades begin and end, as the control thread works it out from what the audio thread answers.
#include "engine/fade_schedule.h"

#include <gtest/gtest.h>

namespace rta::fade_schedule_test {
namespace {

constexpr Silence kNone{};

TEST(FadeSchedule, AFadeEndsItsLengthAfterItsPlanWasAdopted) {
    FadeSchedule fades;
    fades.plan_sent(1, kNone, kNone, 480);
    EXPECT_FALSE(fades.advance(10'000)) << "nobody knows yet when it begins";
    fades.plans_adopted(1, 10'048);
    EXPECT_FALSE(fades.advance(10'048 + 479));
    EXPECT_EQ(fades.ended_serial(), 0U);
    EXPECT_TRUE(fades.advance(10'048 + 480));
    EXPECT_EQ(fades.ended_serial(), 1U);
    EXPECT_FALSE(fades.advance(20'000)) << "it ends once";
}

TEST(FadeSchedule, PlansOfOneBlockFadeTogetherAndAsLongAsTheLongest) {
    FadeSchedule fades;
    fades.plan_sent(1, kNone, kNone, 960);
    fades.plan_sent(2, {.frames = 100}, {.frames = 100}, 480);
    fades.plans_adopted(2, 640);
    EXPECT_FALSE(fades.advance(640 + 100 + 959));
    EXPECT_TRUE(fades.advance(640 + 100 + 960));
    EXPECT_EQ(fades.ended_serial(), 2U);
}

TEST(FadeSchedule, FadesEndInTheOrderInWhichTheyBegan) {
    FadeSchedule fades;
    fades.plan_sent(1, kNone, kNone, 960);
    fades.plans_adopted(1, 0);
    fades.plan_sent(2, kNone, kNone, 0);
    fades.plans_adopted(2, 64);
    EXPECT_TRUE(fades.advance(960));
    EXPECT_EQ(fades.ended_serial(), 1U) << "the second has no length, but what it changes may lead into what fades";
    EXPECT_FALSE(fades.advance(64 + 959));
    EXPECT_TRUE(fades.advance(64 + 960));
    EXPECT_EQ(fades.ended_serial(), 2U);
}

TEST(FadeSchedule, DelayedFadeEndsWithALaterPlan) {
    FadeSchedule fades;
    fades.plan_sent(1, {.frames = 1'000}, {.frames = 1'000}, 480);
    fades.plans_adopted(1, 0);
    fades.plan_sent(2, kNone, kNone, 480);
    fades.plans_adopted(2, 640);
    EXPECT_FALSE(fades.advance(1'000 + 479)) << "never before what it was to end with";
    EXPECT_TRUE(fades.advance(1'000 + 480));
    EXPECT_EQ(fades.ended_serial(), 2U);
}

TEST(FadeSchedule, ASilenceIsCountedFromTheAdoptionOfItsPlan) {
    FadeSchedule fades;
    const Silence silence{.frames = 300};
    fades.plan_sent(1, silence, silence, 480);
    EXPECT_EQ(fades.remaining_silence(silence, 1, 5'000).frames, 300U) << "not adopted: all of it is left";
    fades.plans_adopted(1, 5'000);
    EXPECT_EQ(fades.remaining_silence(silence, 1, 5'100).until, 5'300U);
    EXPECT_TRUE(fades.remaining_silence(silence, 1, 5'300).none());
    EXPECT_FALSE(fades.advance(5'300));
    EXPECT_TRUE(fades.remaining_silence(silence, 1, 5'200).none()) << "what is over is forgotten";
    EXPECT_TRUE(fades.remaining_silence(silence, 7, 5'200).none()) << "a plan that brought no silence";
}

}  // namespace
}  // namespace rta::fade_schedule_test
