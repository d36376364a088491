// SPDX-License-Identifier: MIT
#include "rt/audio_thread.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace rta::audio_thread_test {
namespace {

static_assert(!std::is_copy_constructible_v<AudioThreadKey> && !std::is_move_constructible_v<AudioThreadKey>);
static_assert(!std::is_default_constructible_v<AudioThreadKey>);
static_assert(!std::is_copy_constructible_v<AudioThreadGate::Claim>);
static_assert(!std::is_move_constructible_v<AudioThreadGate::Claim>);

TEST(AudioThreadGate, LetsInOneAtATime) {
    AudioThreadGate gate;
    const auto generation = gate.start_generation();
    {
        const auto first = gate.try_claim(generation);
        ASSERT_TRUE(first);
        EXPECT_FALSE(gate.try_claim(generation));
        EXPECT_FALSE(gate.try_claim(generation)) << "a failed claim must not release the gate";
    }
    EXPECT_TRUE(gate.try_claim(generation)) << "the gate is free after the claim ends";
}

TEST(AudioThreadGate, RefusesAGenerationThatWasRevoked) {
    AudioThreadGate gate;
    const auto first = gate.start_generation();
    EXPECT_TRUE(gate.try_claim(first));
    const auto second = gate.start_generation();
    EXPECT_NE(first, second);
    EXPECT_FALSE(gate.try_claim(first));
    EXPECT_TRUE(gate.try_claim(second)) << "a refused generation must leave the gate free";
}

TEST(AudioThreadGate, RefusesAGenerationThatNeverBegan) {
    AudioThreadGate gate;
    const auto generation = gate.start_generation();
    EXPECT_FALSE(gate.try_claim(generation + 1));
}

TEST(AudioThreadGate, WaitsForARevokedCallbackToLeave) {
    AudioThreadGate gate;
    const auto old_generation = gate.start_generation();
    {
        const auto inside = gate.try_claim(old_generation);
        ASSERT_TRUE(inside);
        const auto new_generation = gate.start_generation();
        EXPECT_FALSE(gate.try_claim(new_generation));
    }
    EXPECT_FALSE(gate.try_claim(old_generation));
    EXPECT_TRUE(gate.try_claim(old_generation + 1));
}

}  // namespace
}  // namespace rta::audio_thread_test
