// SPDX-License-Identifier: MIT
// Edits that take effect at a frame: exact to the sample for parameters, to the block for transactions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "support/offline_engine.h"

namespace rta::test::engine_schedule_test {
namespace {

constexpr const char* kChain = R"({
  "nodes": [ {"name": "one", "type": "constant", "parameters": {"value": 1}}, {"name": "vol", "type": "gain"},
             {"name": "two", "type": "constant", "parameters": {"value": 0.25}}, {"name": "out", "type": "output"} ],
  "connections": [ {"from": "one", "to": "vol"}, {"from": "vol", "to": "out"} ] })";
constexpr std::uint64_t kBlock = 64;
constexpr std::uint64_t kRound = 480;

class EngineSchedule : public ::testing::Test {
 protected:
    EngineSchedule() {
        offline.load(kChain);
        offline.settle();
    }
    Expected<Ticket> set_at(std::uint64_t frame, const std::string& parameter, float value, float ramp_ms) {
        const SetParameter change{"one", parameter, value, ramp_ms};
        return offline.engine.set_parameters_at(frame, {&change, 1});
    }
    PreparedTransaction prepare(std::vector<Edit> edits) {
        auto prepared = offline.engine.prepare({std::move(edits)});
        EXPECT_TRUE(prepared);
        return std::move(*prepared);
    }
    void render_to(std::uint64_t frame) {
        while (offline.frame() < frame) offline.render_block();
    }
    /// Returns the first frame from `begin` on whose sample is not `value`.
    std::uint64_t first_other(std::uint64_t begin, float value) {
        const auto& samples = offline.recorded[0];
        const auto from = samples.begin() + static_cast<std::ptrdiff_t>(begin);
        return static_cast<std::uint64_t>(
            std::ranges::find_if(from, samples.end(), [&](float sample) { return sample != value; }) - samples.begin());
    }
    OfflineEngine offline;
};

TEST_F(EngineSchedule, AParameterJumpsAtExactlyItsFrame) {
    for (const std::uint64_t offset : {0U, 1U, 31U, 63U}) {
        const std::uint64_t begin = offline.frame();
        const float before = offline.recorded[0].back();
        const std::uint64_t frame = begin + 4 * kBlock + offset;
        ASSERT_TRUE(set_at(frame, "value", before == 1.0F ? 0.5F : 1.0F, 0.0F));
        render_to(frame + 2 * kBlock);
        EXPECT_EQ(first_other(begin, before), frame);
    }
}

TEST_F(EngineSchedule, ARampStartsAtExactlyItsFrameAndEndsAfterItsLength) {
    const std::uint64_t frame = offline.frame() + 5 * kBlock + 17;
    ASSERT_TRUE(set_at(frame, "value", 0.0F, 10.0F));
    render_to(frame + 600);
    for (std::uint64_t i = 0; i <= 480; ++i)
        EXPECT_NEAR(offline.recorded[0][frame + i], 1.0F - static_cast<float>(i) / 480.0F, 1e-6F) << i;
    EXPECT_EQ(offline.recorded[0][frame - 1], 1.0F);
    EXPECT_EQ(offline.recorded[0][frame + 480], 0.0F);
}

TEST_F(EngineSchedule, ABatchStartsAtItsFrameAsAWhole) {
    const std::uint64_t begin = offline.frame();
    const std::uint64_t frame = begin + 3 * kBlock + 40;
    const std::vector<SetParameter> changes{{"one", "value", 0.5F, 0.0F}, {"vol", "gain_db", -120.0F, 0.0F}};
    ASSERT_TRUE(offline.engine.set_parameters_at(frame, changes));
    render_to(frame + kBlock);
    EXPECT_EQ(first_other(begin, 1.0F), frame);
    EXPECT_EQ(offline.recorded[0][frame], 0.0F);
}

TEST_F(EngineSchedule, ATransactionStartsWithTheBlockOfItsFrame) {
    for (const std::uint64_t offset : {0U, 1U, 63U}) {
        const float before = offline.recorded[0].back();
        auto prepared =
            prepare(before == 1.0F ? std::vector<Edit>{Disconnect{"vol", "out"}, Connect{"two", "out", {}}}
                                   : std::vector<Edit>{Disconnect{"two", "out"}, Connect{"vol", "out", {}}});
        const std::uint64_t begin = offline.frame();
        const std::uint64_t block = begin + 6 * kBlock;
        const auto ticket = offline.engine.commit_at(prepared, block + offset);
        ASSERT_TRUE(ticket);
        EXPECT_EQ(ticket->starts_within_ms, 0U);
        render_to(block + kRound + 2 * kBlock);
        EXPECT_EQ(first_other(begin, before), block + 1) << "the first gain of a round is that before it";
        EXPECT_EQ(offline.transactions_heard.back(), (std::pair{ticket->revision, block}));
        offline.settle();
    }
}

TEST_F(EngineSchedule, WhatHasNoFrameDoesNotWaitForWhatHasOne) {
    auto prepared = prepare({Disconnect{"vol", "out"}, Connect{"two", "out", {}}});
    const std::uint64_t begin = offline.frame();
    ASSERT_TRUE(offline.engine.commit_at(prepared, begin + 10 * kBlock));
    const SetParameter change{"one", "value", 0.5F, 0.0F};
    ASSERT_TRUE(offline.engine.set_parameters({&change, 1}));
    render_to(begin + kBlock);
    EXPECT_EQ(offline.recorded[0][begin], 0.5F);
}

TEST_F(EngineSchedule, TheOrderOfTwoChangesOfOneParameterIsKept) {
    const std::uint64_t frame = offline.frame() + 4 * kBlock;
    ASSERT_TRUE(set_at(frame, "value", 0.5F, 0.0F));
    const SetParameter change{"one", "value", 0.75F, 0.0F};
    EXPECT_EQ(offline.engine.set_parameters({&change, 1}).error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(offline.apply({SetParameter{"one", "value", 0.75F, 0.0F}}).error().code, ErrorCode::resource_exhausted);
    render_to(frame + kBlock);
    EXPECT_TRUE(offline.engine.set_parameters({&change, 1}));
    render_to(frame + 2 * kBlock);
    EXPECT_EQ(offline.recorded[0].back(), 0.75F);
}

TEST_F(EngineSchedule, AScheduledParameterDoesNotOvertakeAnEarlierChangeThatIsStillOnItsWay) {
    // Each plan with parameters is rendered before the next command, so the change is behind two blocks.
    ASSERT_TRUE(offline.apply({SetParameter{"vol", "gain_db", -1.0F, 0.0F}}));
    ASSERT_TRUE(offline.apply({SetParameter{"vol", "gain_db", -2.0F, 0.0F}}));
    const SetParameter change{"one", "value", 0.75F, 0.0F};
    ASSERT_TRUE(offline.engine.set_parameters({&change, 1}));
    ASSERT_TRUE(set_at(offline.frame() + 1, "value", 0.5F, 0.0F));
    const float gain = std::pow(10.0F, -2.0F / 20.0F);
    render_to(offline.frame() + 12 * kBlock);
    EXPECT_NEAR(offline.recorded[0].back(), 0.5F * gain, 1e-6F) << "the later change counts";
}

TEST_F(EngineSchedule, ATransactionWaitsForTheScheduledOneThatIsOnItsWay) {
    auto prepared = prepare({Disconnect{"vol", "out"}, Connect{"two", "out", {}}});
    const std::uint64_t block = offline.frame() + 6 * kBlock;
    ASSERT_TRUE(offline.engine.commit_at(prepared, block));
    EXPECT_EQ(offline.apply({AddNode{"constant", "three", {}, {}}}).error().code, ErrorCode::resource_exhausted);
    render_to(block + kBlock);
    EXPECT_TRUE(offline.apply({AddNode{"constant", "three", {}, {}}}));
}

TEST_F(EngineSchedule, TwoTransactionsOfOneBlockStartTogether) {
    auto first = prepare({Disconnect{"vol", "out"}});
    auto second = prepare({Connect{"two", "out", {}}});
    const std::uint64_t block = offline.frame() + 6 * kBlock;
    ASSERT_TRUE(offline.engine.commit_at(first, block + 3));
    ASSERT_TRUE(offline.engine.commit_at(second, block + 60));
    render_to(block + kBlock);
    ASSERT_GE(offline.transactions_heard.size(), 2U);
    EXPECT_EQ(offline.transactions_heard.back().second, block);
    EXPECT_EQ(offline.transactions_heard[offline.transactions_heard.size() - 2].second, block);
}

TEST_F(EngineSchedule, NoRoundBeginsThatWouldStillRunAtAReservedFrame) {
    const std::uint64_t block = offline.frame() + 12 * kBlock;  // 16 ms
    offline.engine.reserve(block + 5);
    ASSERT_TRUE(offline.apply({Connect{"two", "out", {}}}));
    const std::uint64_t begin = offline.frame();
    render_to(block - 6 * kBlock);
    EXPECT_EQ(first_other(begin, 1.0F), offline.frame()) << "it is held back";
    auto prepared = prepare({Disconnect{"vol", "out"}});
    const auto ticket = offline.engine.commit_at(prepared, block + 5);
    ASSERT_TRUE(ticket);
    offline.engine.reserve({});
    render_to(block + kBlock);
    EXPECT_EQ(first_other(begin, 1.0F), block + 1);
    for (const std::uint64_t revision : {ticket->revision - 1, ticket->revision})
        EXPECT_EQ(std::ranges::count(offline.transactions_heard, std::pair{revision, block}), 1) << revision;
}

TEST_F(EngineSchedule, AReservationThatIsGivenUpHoldsNothingBack) {
    const std::uint64_t block = offline.frame() + 12 * kBlock;
    offline.engine.reserve(block);
    ASSERT_TRUE(offline.apply({Connect{"two", "out", {}}}));
    const std::uint64_t begin = offline.frame();
    render_to(begin + 2 * kBlock);
    offline.engine.reserve({});
    offline.poll();
    render_to(begin + 4 * kBlock);
    EXPECT_LT(first_other(begin, 1.0F), begin + 4 * kBlock);
}

TEST_F(EngineSchedule, LookAheadIsFilledAhead) {
    const std::vector<Edit> edits{AddNode{"limiter", "lim", {}, {}}, Connect{"two", "lim", {}},
                                  Disconnect{"vol", "out"}, Connect{"lim", "out", {}}};
    auto prepared = prepare(edits);
    const auto forecast = offline.engine.forecast(prepared);
    ASSERT_TRUE(forecast);
    ASSERT_GT(forecast->frames, 0U);
    const std::uint64_t block = (offline.frame() + forecast->frames) / kBlock * kBlock + 10 * kBlock;
    const std::uint64_t begin = offline.frame();
    const auto ticket = offline.engine.commit_ahead(prepared, block + 7);
    ASSERT_TRUE(ticket);
    render_to(block - 6 * kBlock);
    ASSERT_TRUE(offline.engine.start_at(block + 7));
    render_to(block + kBlock);
    EXPECT_EQ(offline.transactions_heard.back(), (std::pair{ticket->revision, block}));
    EXPECT_EQ(first_other(begin, 1.0F), block + 1);
}

TEST_F(EngineSchedule, WaitingForOthersIsNotFilling) {
    ASSERT_TRUE(offline.apply({Connect{"two", "out", {}}}));
    offline.render_block();  // a round runs
    auto prepared = prepare({Disconnect{"vol", "out"}});
    EXPECT_EQ(offline.engine.forecast(prepared).value().frames, 0U);
    ASSERT_TRUE(offline.apply({Disconnect{"two", "out"}}));  // waits for the round
    EXPECT_EQ(offline.engine.forecast(prepared).value().frames, 0U);
    offline.engine.reserve(offline.frame() + 2 * kBlock);
    EXPECT_EQ(offline.engine.forecast(prepared).value().frames, 0U);
}

TEST_F(EngineSchedule, WhatComesTooLateStartsWithTheNextBlock) {
    const std::uint64_t begin = offline.frame();
    ASSERT_TRUE(set_at(begin - kBlock, "value", 0.5F, 0.0F));
    render_to(begin + kBlock);
    EXPECT_EQ(offline.recorded[0][begin], 0.5F);
    auto prepared = prepare({Disconnect{"vol", "out"}});
    const std::uint64_t now = offline.frame();
    ASSERT_TRUE(offline.engine.commit_at(prepared, 0));
    render_to(now + kBlock);
    EXPECT_EQ(offline.transactions_heard.back().second, now);
}

TEST_F(EngineSchedule, ANodeThatIsRemovedBeforeTheFrameOfItsParameterIsHarmless) {
    const std::uint64_t frame = offline.frame() + 400 * kBlock;
    ASSERT_TRUE(set_at(frame, "value", 0.5F, 0.0F));
    offline.edit({RemoveNode{"one"}});
    render_to(frame + 2 * kBlock);
    EXPECT_EQ(offline.recorded[0].back(), 0.0F);
    offline.settle();
}

/// Parameters set with and without a frame, at random: a model that applies each at its frame predicts every sample.
TEST_F(EngineSchedule, AStormOfScheduledAndImmediateChangesIsPredictedToTheSample) {
    std::mt19937 random{13};  // NOLINT: the same storm every time
    const std::uint64_t begin = offline.frame();
    std::vector<std::pair<std::uint64_t, float>> expected;  // frame, value of `one`
    std::uint64_t scheduled = begin;
    float gain = 1.0F;
    std::vector<std::pair<std::uint64_t, float>> gains;
    for (int i = 0; i < 400; ++i) {
        scheduled = std::max(scheduled, offline.frame() + 2 * kBlock) + kBlock + random() % 300;
        const float value = static_cast<float>(random() % 100) / 100.0F;
        if (set_at(scheduled, "value", value, 0.0F)) expected.emplace_back(scheduled, value);
        gain = random() % 2 == 0 ? 1.0F : 0.0F;
        const SetParameter change{"vol", "gain_db", gain == 1.0F ? 0.0F : -120.0F, 0.0F};
        ASSERT_TRUE(offline.engine.set_parameters({&change, 1}));
        gains.emplace_back(offline.frame(), gain);
        if (i % 7 == 0) offline.edit({Describe{"two", "title", {}}});
        offline.render_blocks(1 + random() % 4);
    }
    ASSERT_EQ(expected.size(), 400U);
    render_to(scheduled + kBlock);
    const auto value_at = [](const auto& steps, std::uint64_t frame) {
        float value = 1.0F;
        for (const auto& [from, next] : steps) {
            if (from <= frame) value = next;
        }
        return value;
    };
    for (std::uint64_t frame = begin; frame < offline.frame(); ++frame)
        ASSERT_EQ(offline.recorded[0][frame], value_at(expected, frame) * value_at(gains, frame)) << frame - begin;
}

}  // namespace
}  // namespace rta::test::engine_schedule_test
