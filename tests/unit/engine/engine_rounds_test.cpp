// SPDX-License-Identifier: MIT
// Edits that overlap: each takes effect without a step, and none causes a dip in another signal or delays another edit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "plan/compiler.h"
#include "support/offline_engine.h"

namespace rta::test::engine_rounds_test {
namespace {

constexpr std::size_t kRound = 480;  // 10 ms at 48 kHz
constexpr std::size_t kBlock = 64;
/// Maximum step of a constant of 0.5 that fades over 10 ms.
constexpr float kFadeStep = 0.0011F;

float largest_step(std::span<const float> samples) {
    float largest = 0.0F;
    for (std::size_t i = 1; i < samples.size(); ++i) largest = std::max(largest, std::abs(samples[i] - samples[i - 1]));
    return largest;
}

struct EngineRounds : testing::Test {
    /// Connects a constant of 0.5 to the first channel of the device, and another to the second.
    void start(const std::string& more_nodes = {}, const std::string& more_connections = {}) {
        load(more_nodes, more_connections);
        offline.settle();
        offline.render_blocks(32);
    }
    void load(const std::string& more_nodes = {}, const std::string& more_connections = {}) {
        offline.load(R"({"nodes": [ {"name": "dc", "type": "constant", "parameters": {"value": 0.5}},
                                    {"name": "out", "type": "output"},
                                    {"name": "other_dc", "type": "constant", "parameters": {"value": 0.5}},
                                    {"name": "other", "type": "output", "settings": {"first_channel": 2}} )" +
                     more_nodes + R"( ], "connections": [ {"from": "dc", "to": "out"},
                                                          {"from": "other_dc", "to": "other"} )" +
                     more_connections + "] }");
    }
    void insert(const std::string& type, const std::string& name, const std::string& from, const std::string& to,
                const Settings& settings = {}) {
        offline.edit(
            {AddNode{type, name, settings, {}}, Disconnect{from, to}, Connect{from, name, {}}, Connect{name, to, {}}});
    }
    void expect_constant(std::size_t channel, std::size_t begin = 0, float level = 0.5F) const {
        const auto [low, high] = std::ranges::minmax(std::span{offline.recorded[channel]}.subspan(begin));
        EXPECT_NEAR(low, level, 1e-5F) << "channel " << channel;
        EXPECT_NEAR(high, level, 1e-5F) << "channel " << channel;
    }
    [[nodiscard]] std::size_t now() const { return offline.recorded[0].size(); }
    /// Returns the first frame from `begin` on at which the channel leaves `level`.
    [[nodiscard]] std::size_t moved(std::size_t channel, std::size_t begin, float level = 0.5F) const {
        const auto& heard = offline.recorded[channel];
        const auto first = std::find_if(heard.begin() + static_cast<std::ptrdiff_t>(begin), heard.end(),
                                        [&](float sample) { return std::abs(sample - level) > 1e-5F; });
        return static_cast<std::size_t>(first - heard.begin());
    }

    OfflineEngine offline;
};

/// Their rounds take no time, but their plans may be adopted in different blocks.
TEST_F(EngineRounds, EditsBeforeTheFirstBlockLeaveNoStep) {
    const std::vector<Edit> insertion{AddNode{"gain", "n", {}, {}}, Disconnect{"dc", "g"}, Connect{"dc", "n", {}},
                                      Connect{"n", "g", {}}};
    const std::vector<Edit> swap{Disconnect{"dc", "n"},  Disconnect{"n", "g"},  Disconnect{"g", "out"},
                                 Connect{"dc", "g", {}}, Connect{"g", "n", {}}, Connect{"n", "out", {}}};
    const SetParameter level{"out", "gain_db", 0.0F, {}};
    const std::vector<std::vector<std::vector<Edit>>> cases{
        {insertion, swap, {AddNode{"gain", "x", {}, {}}}},
        {{level}, insertion, {level, AddNode{"gain", "x", {}, {}}}},
    };
    for (const auto& transactions : cases) {
        OfflineEngine fresh;
        fresh.load(R"({"nodes": [ {"name": "dc", "type": "constant", "parameters": {"value": 0.5}},
                                  {"name": "g", "type": "gain"}, {"name": "out", "type": "output"} ],
                       "connections": [ {"from": "dc", "to": "g"}, {"from": "g", "to": "out"} ] })");
        for (const auto& edits : transactions) fresh.edit(edits);
        fresh.settle();
        const auto [low, high] = std::ranges::minmax(fresh.recorded[0]);
        EXPECT_NEAR(low, 0.5F, 1e-5F);
        EXPECT_NEAR(high, 0.5F, 1e-5F);
    }
}

/// Two transactions start together. The second one makes a node heard that is silent after the first: the first must
/// change it in the same round, although without the second one the node would not be heard any more.
TEST_F(EngineRounds, WhatStartsTogetherDecidesWhichNodesAreHeardAfterwards) {
    start(R"(, {"name": "g", "type": "gain"}, {"name": "sum", "type": "output"} )");
    offline.edit(
        {Disconnect{"dc", "out"}, Connect{"dc", "g", {}}, Connect{"g", "out", {}}, Disconnect{"other_dc", "other"}});
    offline.settle();
    offline.edit({Connect{"dc", "sum", -60.0F}});  // for which both wait
    offline.render_block();
    const std::size_t begin = now();
    ASSERT_TRUE(
        offline.apply({AddNode{"gain", "n", {}, {{"mute", 1.0F}}}, Disconnect{"dc", "g"}, Connect{"dc", "n", {}},
                       Connect{"n", "g", {}}, Disconnect{"g", "out"}, Connect{"dc", "out", {}}}));
    ASSERT_TRUE(offline.apply({Connect{"g", "other", {}}}));
    offline.settle();
    // While g becomes silent and the connection becomes full: 0.5 s (1 - s).
    EXPECT_LE(std::ranges::max(std::span{offline.recorded[1]}.subspan(begin)), 0.125F + 1e-5F);
}

TEST_F(EngineRounds, ATransactionThatIsPreparedSplitsNoOther) {
    start(R"(, {"name": "g", "type": "gain"}, {"name": "unheard", "type": "gain"},
               {"name": "third", "type": "output", "settings": {"first_channel": 3}} )");
    offline.edit({Disconnect{"dc", "out"}, Connect{"dc", "g", {}}, Connect{"g", "out", {}}});
    offline.settle();
    offline.edit({Connect{"dc", "third", {}}});  // for which both wait
    offline.render_block();
    const std::size_t begin = now();
    // Connects the unheard node first. The node g is heard until the round after that.
    ASSERT_TRUE(offline.apply({Connect{"dc", "unheard", {}}, Disconnect{"g", "out"}, Connect{"unheard", "out", {}}}));
    ASSERT_TRUE(offline.apply({Disconnect{"dc", "g"}, Disconnect{"other_dc", "other"}}));
    offline.settle();
    EXPECT_LT(moved(1, begin), now());
    EXPECT_EQ(moved(0, begin), moved(1, begin));
}

TEST_F(EngineRounds, ANodeThatARoundSilencesIsNotHeardAgainInThatRound) {
    start(R"(, {"name": "g", "type": "gain"})");
    offline.edit(
        {Disconnect{"dc", "out"}, Connect{"dc", "g", {}}, Connect{"g", "out", {}}, Disconnect{"other_dc", "other"}});
    offline.settle();
    const std::size_t begin = now();
    // Disconnects the input of g a round later, because g is no longer heard.
    ASSERT_TRUE(offline.apply({Disconnect{"dc", "g"}, Disconnect{"g", "out"}, Connect{"dc", "out", {}}}));
    ASSERT_TRUE(offline.apply({Connect{"g", "other", {}}}));
    offline.settle();
    // While g becomes silent and the connection becomes full: 0.5 s (1 - s).
    EXPECT_LE(std::ranges::max(std::span{offline.recorded[1]}.subspan(begin)), 0.125F + 1e-5F);
    expect_constant(0, begin);
}

TEST_F(EngineRounds, AConnectionFromBeforeTheFirstBlockStaysUntilItFadesOut) {
    offline.load(R"({"nodes": [ {"name": "dc", "type": "constant", "parameters": {"value": 0.5}},
                                {"name": "nothing", "type": "constant", "parameters": {"value": 0}},
                                {"name": "out", "type": "output"} ], "connections": [] })");
    offline.edit({Connect{"dc", "out", {}}});
    // Another plan, which replaces the pending one before a block is rendered.
    offline.edit({AddNode{"gain", "more", {}, {}}});
    offline.render_blocks(32);
    offline.settle();
    offline.edit({Connect{"nothing", "out", {}}});
    offline.render_blocks(32);
    offline.settle();
    expect_constant(0);
    offline.edit({Disconnect{"dc", "out"}});
    offline.render_blocks(32);
    EXPECT_LE(largest_step(offline.recorded[0]), kFadeStep);
    EXPECT_EQ(offline.recorded[0].back(), 0.0F);
}

TEST_F(EngineRounds, WhatIsEditedBeforeTheFirstBlockIsHeardInIt) {
    offline.load(R"({"nodes": [ {"name": "dc", "type": "constant", "parameters": {"value": 0.5}},
                                {"name": "out", "type": "output"} ], "connections": [] })");
    offline.edit({AddNode{"gain", "g", {}, {}}});
    offline.edit({Connect{"dc", "g", {}}, Connect{"g", "out", {}}});
    offline.render_blocks(4);
    expect_constant(0);
}

TEST_F(EngineRounds, WhatIsRemovedBeforeTheFirstBlockLeavesThePlan) {
    load(R"(, {"name": "g", "type": "gain"})", R"(, {"from": "dc", "to": "g"}, {"from": "g", "to": "other"})");
    std::size_t nodes = 0;
    std::size_t connections = 0;
    offline.engine.watch_plans([&](std::uint64_t, const CompileRequest& contents) {
        nodes = contents.nodes.size();
        connections = contents.connections.size();
    });
    offline.edit({RemoveNode{"g"}});
    offline.edit({Connect{"dc", "out", 0.0F}});  // it exists, so no plan is needed
    offline.settle();
    EXPECT_EQ(nodes, 4U);
    EXPECT_EQ(connections, 2U);
}

TEST_F(EngineRounds, EditsOfLookAheadInARowKeepPlansSmall) {
    start();
    offline.edit({AddNode{"compressor", "comp", {}, {{"threshold_db", 0.0F}}}, Disconnect{"other_dc", "other"},
                  Connect{"other_dc", "comp", {}}, Connect{"comp", "other", {}}});
    for (int i = 0; i < 400; ++i) {
        offline.edit({ChangeSettings{"comp", {{"look_ahead_ms", i % 2 == 0 ? 49.0 : 50.0}}}});
        offline.render_blocks(2);
        ASSERT_LE(offline.engine.statistics().sounding_nodes, 5U + 64U) << "edit " << i;
        ASSERT_LE(offline.engine.statistics().plans_alive, 4U) << "edit " << i;
    }
    offline.settle();
    EXPECT_EQ(offline.engine.statistics().sounding_nodes, 5U);
    EXPECT_EQ(offline.engine.statistics().plans_alive, 1U);
    expect_constant(0);
    expect_constant(1);
}

TEST_F(EngineRounds, AClientThatChangesLookAheadAllTheTimeHoldsBackNoOther) {
    start(R"(, {"name": "comp", "type": "compressor"}, {"name": "silent", "type": "gain"})",
          R"(, {"from": "comp", "to": "silent"})");
    for (int i = 0; i < 20; ++i) {
        offline.edit({ChangeSettings{"comp", {{"look_ahead_ms", i % 2 == 0 ? 49.0 : 50.0}}}});
        offline.render_blocks(22);  // 30 ms
    }
    offline.edit({ChangeSettings{"comp", {{"look_ahead_ms", 48.0}}}});
    const std::size_t begin = now();
    offline.edit({Disconnect{"dc", "out"}});
    for (int i = 0; i < 10; ++i) {
        offline.render_blocks(22);
        offline.edit({ChangeSettings{"comp", {{"look_ahead_ms", i % 2 == 0 ? 49.0 : 50.0}}}});
    }
    offline.settle();
    EXPECT_LE(moved(0, begin), begin + kRound + 3 * kBlock);
    EXPECT_EQ(offline.recorded[0][begin + 2 * kRound + 4 * kBlock], 0.0F);
    EXPECT_LT(largest_step(offline.recorded[0]), kFadeStep);
}

TEST_F(EngineRounds, AnInsertedChainWithLookAheadHoldsBackNoOther) {
    start();
    std::vector<Edit> chain{Disconnect{"other_dc", "other"}};
    std::string before = "other_dc";
    for (int i = 0; i < 20; ++i) {
        const std::string name = "comp" + std::to_string(i);
        chain.emplace_back(AddNode{"compressor", name, {{"look_ahead_ms", 50.0}}, {{"threshold_db", 0.0F}}});
        chain.emplace_back(Connect{before, name, {}});
        before = name;
    }
    chain.emplace_back(Connect{before, "other", {}});
    offline.edit(std::move(chain));
    offline.render_block();
    const std::size_t begin = now();
    offline.edit({Disconnect{"dc", "out"}});
    offline.settle();
    EXPECT_LE(moved(0, begin), begin + 3 * kBlock);
    EXPECT_LT(largest_step(offline.recorded[1]), kFadeStep);
    EXPECT_NEAR(offline.recorded[1].back(), 0.5F, 1e-5F);
}

TEST_F(EngineRounds, AConnectionAtZeroGainComesBackWithoutAStep) {
    for (const double frequency : {100.0, 1'000.0}) {
        OfflineEngine offline;
        offline.load(R"({"latency_compensation": true,
            "nodes": [ {"name": "s", "type": "sine", "parameters": {"frequency_hz": )" +
                     std::to_string(frequency) + R"(, "gain_db": -6.0206}}, {"name": "o", "type": "output"},
                       {"name": "lim", "type": "limiter", "settings": {"look_ahead_ms": 20}},
                       {"name": "quiet", "type": "output", "settings": {"first_channel": 2}} ],
            "connections": [ {"from": "s", "to": "lim"}, {"from": "lim", "to": "quiet"} ]})");
        offline.render_blocks(100);
        offline.edit({Connect{"s", "o", -120.0F}});
        offline.render_blocks(3);
        offline.edit({Connect{"s", "o", 0.0F}});
        offline.render_blocks(100);
        const float own = 2.0F * 3.14159265F * static_cast<float>(frequency) / 48'000.0F * 0.5F;
        EXPECT_LT(largest_step(offline.recorded[0]), own + kFadeStep) << frequency;
        EXPECT_NEAR(*std::ranges::max_element(offline.recorded[0]), 0.5F, 0.001F);
    }
}

TEST_F(EngineRounds, ADelayLineRemembersNoStepFromItsInsertion) {
    start();
    offline.edit({AddNode{"delay_line", "echo", {}, {{"time_ms", 0.0F}, {"mix", 1.0F}}}, Disconnect{"dc", "out"},
                  Connect{"dc", "echo", {}}, Connect{"echo", "out", {}}});
    offline.render_blocks(30);
    const SetParameter later{"echo", "time_ms", 250.0F, {}};
    ASSERT_TRUE(offline.engine.set_parameters({&later, 1}));
    offline.render_blocks(400);
    // The delay line itself crossfades over 20 ms when its delay changes.
    EXPECT_LT(largest_step(offline.recorded[0]), kFadeStep);
}

TEST_F(EngineRounds, ADelayLineRemembersNoStepFromItsFirstConnection) {
    start();
    offline.edit({AddNode{"delay_line", "d", {}, {{"time_ms", 20.0F}}}});
    // Applied before a block has run the delay line.
    offline.edit({Connect{"dc", "d", {}}, Connect{"d", "out", {}}});
    offline.settle();
    offline.render_blocks(64);
    EXPECT_NEAR(offline.recorded[0].back(), 1.0F, 1e-5F);
    EXPECT_LE(largest_step(offline.recorded[0]), kFadeStep * 1.1F);  // the delay line interpolates
}

TEST_F(EngineRounds, ADelayLineRemembersNoStepFromACompensatingDelayThatFills) {
    start(
        R"(, {"name": "c", "type": "compressor", "settings": {"look_ahead_ms": 20}, "parameters": {"threshold_db": 0}},
               {"name": "g", "type": "gain"},
               {"name": "d", "type": "delay_line", "parameters": {"time_ms": 30}} )",
        R"(, {"from": "dc", "to": "c"}, {"from": "dc", "to": "g"}, {"from": "c", "to": "other"},
               {"from": "g", "to": "other"} )");
    offline.edit({SetLatencyCompensation{true}});
    offline.settle();
    const std::size_t begin = now();
    offline.edit({Disconnect{"c", "other"}, Disconnect{"g", "other"}, Connect{"c", "d", {}}, Connect{"g", "d", {}},
                  Connect{"d", "other", {}}});
    offline.settle();
    offline.render_blocks(64);
    EXPECT_NEAR(offline.recorded[1].back(), 1.5F, 1e-5F);
    EXPECT_LE(largest_step(std::span{offline.recorded[1]}.subspan(begin)), 2.0F * kFadeStep * 1.1F);
}

TEST_F(EngineRounds, AnOutputBehindAReplacedLookAheadWaitsUntilThatIsFilled) {
    start();
    for (const double look_ahead_ms : {5.0, 10.0, 20.0}) {
        for (const std::uint32_t blocks : {0U, 2U, 4U, 8U}) {
            start();
            const std::size_t begin = now() - 1;
            offline.edit({AddNode{"limiter", "lim", {{"look_ahead_ms", 10.0}}, {}}, Connect{"dc", "lim", {}},
                          AddNode{"output", "late", {}, {}}, Connect{"lim", "late", {}}});
            offline.render_blocks(blocks);
            offline.edit({ChangeSettings{"lim", {{"look_ahead_ms", look_ahead_ms}}}});
            offline.settle();
            offline.render_block();
            EXPECT_LT(largest_step(std::span{offline.recorded[0]}.subspan(begin)), kFadeStep)
                << look_ahead_ms << " ms after " << blocks << " blocks";
            EXPECT_NEAR(offline.recorded[0].back(), 1.0F, 1e-5F);
        }
    }
}

TEST_F(EngineRounds, ADelayBehindASilentLookAheadWaitsWhenItsInputIsDisconnected) {
    start(R"(, {"name": "line", "type": "delay_line", "parameters": {"time_ms": 5, "mix": 1}})");
    offline.edit({AddNode{"limiter", "lim", {{"look_ahead_ms", 20.0}}, {}}, Connect{"dc", "lim", {}}});
    offline.render_blocks(2);
    offline.edit({AddNode{"delay_line", "echo", {}, {{"time_ms", 100.0F}, {"mix", 1.0F}}}, Disconnect{"dc", "lim"},
                  Connect{"lim", "echo", {}}, Connect{"echo", "out", {}}});
    offline.render_blocks(400);
    EXPECT_LT(largest_step(offline.recorded[0]), kFadeStep);
    EXPECT_EQ(offline.recorded[0].back(), 0.5F);
}

TEST_F(EngineRounds, AnEditThatClosesALoopLeavesOtherPathsAlone) {
    start(R"(, {"name": "p", "type": "gain"}, {"name": "q", "type": "gain"})",
          R"(, {"from": "other_dc", "to": "p"}, {"from": "p", "to": "q"})");
    offline.edit({Disconnect{"p", "q"}, Disconnect{"other_dc", "p"}, Connect{"q", "p", {}},
                  AddNode{"gain", "unity", {}, {}}, Disconnect{"dc", "out"}, Connect{"dc", "unity", {}},
                  Connect{"unity", "out", {}}});
    offline.settle();
    expect_constant(0);
    expect_constant(1);
}

TEST_F(EngineRounds, NodesOfAChainChangePlacesAndAreNeverSilent) {
    start();
    for (const char* name : {"a", "b", "c", "d"})
        insert("gain", name, "dc", name == std::string{"a"} ? "out" : std::string{static_cast<char>(name[0] - 1)});
    offline.settle();
    // dc -> d -> c -> b -> a -> out becomes dc -> a -> b -> c -> d -> out.
    offline.edit({Disconnect{"dc", "d"}, Disconnect{"d", "c"}, Disconnect{"c", "b"}, Disconnect{"b", "a"},
                  Disconnect{"a", "out"}, Connect{"dc", "a", {}}, Connect{"a", "b", {}}, Connect{"b", "c", {}},
                  Connect{"c", "d", {}}, Connect{"d", "out", {}}});
    offline.settle();
    expect_constant(0);
    EXPECT_EQ(offline.engine.statistics().sounding_nodes, 8U);
}

TEST_F(EngineRounds, OverlappingInsertionsDoNotDip) {
    for (const std::uint32_t blocks : {0U, 1U, 2U, 4U, 7U, 8U}) {
        start();
        const std::size_t begin = now() - 1;
        for (int i = 0; i < 4; ++i) {
            const std::string name = "g" + std::to_string(i);
            insert("gain", name, "dc", i == 0 ? "out" : "g" + std::to_string(i - 1));
            offline.render_blocks(blocks);
        }
        for (int i = 0; i < 4; ++i) {
            const std::string name = "h" + std::to_string(i);
            insert("gain", name, i == 0 ? "g0" : "h" + std::to_string(i - 1), "out");
            offline.render_blocks(blocks);
        }
        offline.settle();
        expect_constant(0, begin);
    }
}

TEST_F(EngineRounds, AnInsertionWhileLookAheadIsFilledDoesNotDip) {
    start();
    offline.edit({AddNode{"compressor", "comp", {{"look_ahead_ms", 50.0}}, {{"threshold_db", 0.0F}}},
                  Disconnect{"dc", "out"}, Connect{"dc", "comp", {}}, Connect{"comp", "out", {}}});
    offline.render_blocks(42);  // 56 ms
    insert("gain", "unity", "comp", "out");
    offline.settle();
    expect_constant(0);
}

TEST_F(EngineRounds, ATransactionIsWholeAtEveryFrame) {
    start();
    insert("gain", "x", "dc", "out");
    offline.settle();
    const std::size_t begin = now();
    // 20 dB more before X, 20 dB less after it, by two connections that fade together.
    offline.edit({Connect{"dc", "x", 20.0F}, Connect{"x", "out", -20.0F}});
    offline.settle();
    const auto heard = std::span{offline.recorded[0]}.subspan(begin);
    // The product of two linear ramps, 0.5 (1 + 9s)(1 - 0.9s), stays within the range of such ramps.
    EXPECT_NEAR(heard.back(), 0.5F, 1e-4F);
    offline.edit({AddNode{"gain", "up", {}, {{"gain_db", 20.0F}}}, AddNode{"gain", "down", {}, {{"gain_db", -20.0F}}},
                  Disconnect{"dc", "x"}, Disconnect{"x", "out"}, Connect{"dc", "up", 20.0F}, Connect{"up", "x", {}},
                  Connect{"x", "down", -20.0F}, Connect{"down", "out", {}}});
    offline.settle();
    EXPECT_NEAR(offline.recorded[0].back(), 0.5F, 1e-4F);
    ASSERT_GE(offline.transactions_heard.size(), 4U);
}

TEST_F(EngineRounds, ExistingNodesArePluggedInAndOutAtTheSameLevel) {
    start(R"(, {"name": "a", "type": "gain"}, {"name": "b", "type": "gain"}, {"name": "c", "type": "gain"})");
    for (int i = 0; i < 3; ++i) {
        offline.edit({Disconnect{"dc", "out"}, Connect{"dc", "a", {}}, Connect{"a", "b", {}}, Connect{"b", "c", {}},
                      Connect{"c", "out", {}}});
        offline.settle();
        offline.edit({Disconnect{"dc", "a"}, Disconnect{"a", "b"}, Disconnect{"b", "c"}, Disconnect{"c", "out"},
                      Connect{"dc", "out", {}}});
        offline.settle();
    }
    expect_constant(0);
}

TEST_F(EngineRounds, AnEditNeedsNoLongerThanARoundAndTwoBlocks) {
    start();
    insert("gain", "a", "dc", "out");
    offline.render_blocks(2);
    const auto ticket = offline.apply({Disconnect{"other_dc", "other"}});
    ASSERT_TRUE(ticket);
    EXPECT_GT(ticket->starts_within_ms, 0U);
    const std::size_t begin = now();
    offline.settle();
    EXPECT_LE(moved(1, begin), begin + kRound + 2 * kBlock);
    ASSERT_EQ(offline.transactions_heard.size(), 3U);
    EXPECT_EQ(offline.transactions_heard.back().first, ticket->revision);
    EXPECT_EQ(offline.transactions_heard.back().second + 1, moved(1, begin));
}

TEST_F(EngineRounds, WhatWaitsAtTheSamePortStartsTogetherWithinItsPromise) {
    start();
    const auto first = offline.apply({AddNode{"limiter", "lim", {{"look_ahead_ms", 20.0}}, {}}, Disconnect{"dc", "out"},
                                      Connect{"dc", "lim", {}}, Connect{"lim", "out", {}}});
    ASSERT_TRUE(first);
    const std::size_t promised = now() + first->starts_within_ms * 48;
    EXPECT_GT(first->starts_within_ms, 20U);
    EXPECT_LT(first->starts_within_ms, 20U + 50U + 40U);
    // Another client replaces the limiter all the time.
    std::uint32_t refused = 0;
    for (int i = 0; i < 60; ++i) {
        offline.render_blocks(2);
        const auto ticket = offline.apply({ChangeSettings{"lim", {{"look_ahead_ms", 19.0 + i % 2}}}});
        if (!ticket) {
            EXPECT_EQ(ticket.error().code, ErrorCode::resource_exhausted);
            EXPECT_FALSE(ticket.error().edit_index);
            ++refused;
        }
    }
    offline.settle();
    EXPECT_GT(refused, 0U);
    const auto heard =
        std::ranges::find(offline.transactions_heard, first->revision, [](const auto& entry) { return entry.first; });
    ASSERT_NE(heard, offline.transactions_heard.end());
    EXPECT_LE(heard->second, promised);
    EXPECT_EQ(offline.transactions_heard.size(), offline.engine.revision());
    expect_constant(0);
}

TEST_F(EngineRounds, APromiseIsKeptAlthoughTheRoundSilencesANodeThatIsToBePrepared) {
    start(R"(, {"name": "late", "type": "compressor", "settings": {"look_ahead_ms": 50}},
               {"name": "later", "type": "compressor", "settings": {"look_ahead_ms": 50}} )",
          R"(, {"from": "dc", "to": "late"}, {"from": "late", "to": "later"} )");
    offline.edit({Disconnect{"dc", "out"}, Connect{"later", "out", {}}});
    offline.settle();
    ASSERT_TRUE(offline.apply({Disconnect{"later", "out"}}));
    offline.render_block();
    const auto first = offline.apply({Connect{"other_dc", "out", {}}});
    ASSERT_TRUE(first);
    const std::size_t promised = now() + first->starts_within_ms * 48;
    offline.render_block();
    // Starts together with the first one, after the round: then `late` is silent, receives its new input, and both fill.
    const auto second =
        offline.apply({AddNode{"gain", "g", {}, {}}, Connect{"dc", "g", {}}, Disconnect{"dc", "late"},
                       Connect{"g", "late", {}}, Disconnect{"other_dc", "out"}, Connect{"later", "out", {}}});
    EXPECT_TRUE(second || second.error().code == ErrorCode::resource_exhausted);
    offline.settle();
    const auto heard =
        std::ranges::find(offline.transactions_heard, first->revision, [](const auto& entry) { return entry.first; });
    ASSERT_NE(heard, offline.transactions_heard.end());
    EXPECT_LE(heard->second, promised);
}

TEST_F(EngineRounds, ParametersOfATransactionActWhenItStarts) {
    start(R"(, {"name": "v", "type": "gain"})");
    insert("gain", "a", "dc", "out");  // a round, for which the next transaction waits
    offline.render_blocks(2);
    offline.edit({Disconnect{"other_dc", "other"}, Connect{"other_dc", "v", {}}, Connect{"v", "other", {}},
                  SetParameter{"v", "gain_db", 6.0206F, 0.0F}});
    offline.settle();
    EXPECT_LT(largest_step(offline.recorded[1]), kFadeStep);
    EXPECT_NEAR(offline.recorded[1].back(), 1.0F, 1e-4F);
}

TEST_F(EngineRounds, ANodeThatHasRunInAPlanWithParametersIsPluggedInWithoutADip) {
    start();
    // The plan with the parameter is rendered separately, so the node has run before it is connected.
    offline.edit({AddNode{"gain", "n", {}, {}}, SetParameter{"other_dc", "value", 0.5F, {}}});
    offline.edit({Disconnect{"dc", "out"}, Connect{"dc", "n", {}}, Connect{"n", "out", {}}});
    offline.settle();
    expect_constant(0);
}

TEST_F(EngineRounds, APlanHasNoParametersOfNodesThatItDoesNotContain) {
    start(R"(, {"name": "unheard", "type": "gain"})");
    std::size_t targets = 0;
    offline.engine.watch_plans(
        [&](std::uint64_t, const CompileRequest& contents) { targets += contents.targets.size(); });
    offline.edit(
        {SetParameter{"unheard", "gain_db", -6.0F, {}}, SetParameter{"dc", "value", 0.5F, {}}, RemoveNode{"unheard"}});
    offline.settle();
    EXPECT_EQ(targets, 1U);  // of "dc"
}

/// After a reset the inputs of nodes fade in. A delay that begins to fill during that fade holds it back for longer.
TEST_F(EngineRounds, ADelayThatBeginsToFillAfterAResetWaitsForTheInputsThatFadeIn) {
    const std::string compressor =
        R"("type": "compressor", "settings": {"look_ahead_ms": 40}, "parameters": {"ratio": 1})";
    start(R"(, {"name": "direct", "type": "gain"}, {"name": "first", )" + compressor + R"(}, {"name": "second", )" +
              compressor + "}",
          R"(, {"from": "other_dc", "to": "direct"}, {"from": "direct", "to": "first"},
               {"from": "direct", "to": "second"}, {"from": "direct", "to": "other", "gain_db": -6.0206},
               {"from": "first", "to": "other", "gain_db": -12.0412},
               {"from": "second", "to": "other", "gain_db": -12.0412})");
    offline.edit({Disconnect{"other_dc", "other"}, SetLatencyCompensation{true}});
    offline.settle();
    const std::size_t reset = now();
    ASSERT_TRUE(offline.reset());
    offline.edit({Disconnect{"direct", "second"}, Connect{"first", "second", {}}});  // the other paths get more delay
    offline.settle();
    offline.render_blocks(64);
    expect_constant(1, reset + 3'600);  // 75 ms: the output has filled and faded in
}

/// A constant through `count` gains in a row, to the first channel.
struct Chain {
    explicit Chain(int count) : nodes(static_cast<std::size_t>(count)) {
        for (int i = 0; i < count; ++i) nodes[static_cast<std::size_t>(i)] = "chain" + std::to_string(i);
    }
    [[nodiscard]] std::vector<Edit> insertion() const {
        std::vector<Edit> edits{Disconnect{"dc", "out"}};
        for (const std::string& node : nodes) edits.emplace_back(AddNode{"gain", node, {}, {}});
        connect(edits);
        return edits;
    }
    [[nodiscard]] std::vector<Edit> reversal() {
        std::vector<Edit> edits{Disconnect{"dc", nodes.front()}, Disconnect{nodes.back(), "out"}};
        for (std::size_t i = 1; i < nodes.size(); ++i) edits.emplace_back(Disconnect{nodes[i - 1], nodes[i]});
        std::ranges::reverse(nodes);
        connect(edits);
        return edits;
    }
    void connect(std::vector<Edit>& edits) const {
        std::string before = "dc";
        for (const std::string& node : nodes) edits.emplace_back(Connect{std::exchange(before, node), node, {}});
        edits.emplace_back(Connect{before, "out", {}});
    }
    std::vector<std::string> nodes;
};

TEST_F(EngineRounds, AReversedChainKeepsItsLevelInALargeGraph) {
    start();
    Chain chain{6};
    offline.edit(chain.insertion());
    std::vector<Edit> many;
    for (int i = 0; i < 30'000; ++i) many.emplace_back(AddNode{"gain", "n" + std::to_string(i), {}, {}});
    offline.edit(many);
    offline.settle();
    offline.edit(chain.reversal());
    offline.settle();
    expect_constant(0);
}

/// Each node of a chain that is reversed needs a round of its own. Beyond 8 rounds, the chain fades out and in.
TEST_F(EngineRounds, ATransactionTakesNoMoreThanEightRoundsAndAFade) {
    start();
    Chain chain{40};
    offline.edit(chain.insertion());
    offline.settle();
    const std::size_t begin = now();
    offline.edit(chain.reversal());
    offline.settle();
    constexpr std::size_t kMostRounds = 8 + 2;
    EXPECT_LE(now() - begin, kMostRounds * (kRound + 2 * kBlock));
    EXPECT_LE(largest_step(offline.recorded[0]), kFadeStep);
    EXPECT_EQ(offline.recorded[0].back(), 0.5F);
    expect_constant(1);
}

TEST_F(EngineRounds, ANodeIsRemovedBeforeItsTransactionHasChangedItsInput) {
    start();
    offline.edit(
        {AddNode{"gain", "g", {}, {}}, Disconnect{"dc", "out"}, Connect{"dc", "g", {}}, Connect{"g", "out", {}}});
    offline.settle();
    // The node is no longer heard, so its input changes last.
    offline.edit({Disconnect{"g", "out"}, Connect{"dc", "out", {}}, Disconnect{"dc", "g"}});
    offline.render_blocks(2);
    offline.edit({RemoveNode{"g"}});
    offline.settle();
    expect_constant(0);
    EXPECT_EQ(offline.engine.statistics().sounding_nodes, offline.engine.graph().node_count());
}

TEST_F(EngineRounds, AReversedChainOfEightNodesKeepsItsLevel) {
    start();
    Chain chain{8};
    offline.edit(chain.insertion());
    offline.settle();
    offline.edit(chain.reversal());
    offline.settle();
    expect_constant(0);
}

TEST_F(EngineRounds, GainsThatFollowEachOtherNeedNoPlansBetweenThem) {
    start();
    constexpr std::uint64_t kCommits = 40;
    const auto plans = [&] { return offline.engine.statistics().plans_made; };
    const std::uint64_t before = plans();
    for (std::uint64_t i = 0; i < kCommits; ++i) {
        offline.edit({Connect{"dc", "out", i % 2 == 0 ? -6.0F : 0.0F}});
        offline.render_blocks(4);  // 5 ms: every ramp but the last two has ended
    }
    EXPECT_EQ(plans(), before + kCommits);
    offline.settle();
    EXPECT_EQ(plans(), before + kCommits + 1) << "one plan follows the last of them";
    EXPECT_LE(now(), std::size_t{48'000}) << "and it does not wait for long";
}

TEST_F(EngineRounds, ALongFadeOfGainsCausesNoWorkAfterLaterEdits) {
    start();
    ASSERT_TRUE(offline.apply({Connect{"dc", "out", -6.0F}}, 60'000.0F));
    offline.render_blocks(8);
    offline.edit({Connect{"other_dc", "other", -6.0F}});
    offline.render_blocks(128);
    const std::uint64_t before = offline.engine.progress();
    offline.render_blocks(512);
    EXPECT_EQ(offline.engine.progress(), before) << "nothing is tried again while the fade continues";
}

TEST_F(EngineRounds, ALongFadeOfGainsDelaysNoNodeThatLeaves) {
    start(R"(, {"name": "echo", "type": "delay_line"} )",
          R"(, {"from": "other_dc", "to": "echo"}, {"from": "echo", "to": "other"} )");
    const std::uint64_t before = offline.engine.statistics().sounding_nodes;
    ASSERT_TRUE(offline.apply({Connect{"dc", "out", -6.0F}}, 60'000.0F));
    offline.render_blocks(8);
    offline.edit({RemoveNode{"echo"}});
    offline.render_blocks(128);
    EXPECT_EQ(offline.engine.statistics().sounding_nodes, before - 1);
}

/// Random edits of a graph of several segments. Another engine gets each edited graph as its first one: a plan that shares
/// segments with the one before plays the same.
TEST(EngineSegments, EditsOfALargeGraphSoundLikeTheGraphThatTheyMake) {
    constexpr int kChains = 200;
    constexpr int kLength = 20;
    std::mt19937 random{7};
    const auto below = [&](int end) { return std::uniform_int_distribution{0, end - 1}(random); };
    const auto name = [](int chain, int i) { return "n" + std::to_string(chain) + "_" + std::to_string(i); };
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}};
    for (int chain = 0; chain < kChains; ++chain) {
        edits.emplace_back(AddNode{"constant", name(chain, 0), {}, {{"value", static_cast<float>(chain) / 4096.0F}}});
        for (int i = 1; i < kLength; ++i) {
            edits.emplace_back(AddNode{"gain", name(chain, i), {}, {}});
            edits.emplace_back(Connect{name(chain, i - 1), name(chain, i), {}});
        }
        edits.emplace_back(Connect{name(chain, kLength - 1), "out", {}});
    }
    OfflineEngine edited;
    edited.edit(edits);
    edited.settle();
    for (int edit = 0; edit < 60; ++edit) {
        const int chain = below(kChains);
        const int other = below(kChains);
        const std::string from = name(chain, below(kLength));
        const std::string to = name(other, 1 + below(kLength - 1));
        // A cycle, a node that was removed, and a connection that does not exist are refused.
        switch (below(4)) {
            case 0:
                static_cast<void>(edited.apply({Connect{from, to, below(2) == 0 ? -6.0F : 0.0F}}));
                break;
            case 1:
                static_cast<void>(edited.apply({Disconnect{from, to}}));
                break;
            case 2:
                static_cast<void>(edited.apply({RemoveNode{from}}));
                break;
            default:
                static_cast<void>(edited.apply({AddNode{"gain", "m" + std::to_string(edit), {}, {}},
                                                Connect{from, "m" + std::to_string(edit), {}},
                                                Connect{"m" + std::to_string(edit), to, -12.0F}}));
        }
        if (below(3) == 0) continue;  // the next one overlaps it
        edited.settle();
        edited.render_block();
        OfflineEngine fresh;
        Transaction same;
        same.edits.emplace_back(ReplaceGraph{edited.engine.graph().document()});
        auto prepared = fresh.engine.prepare(std::move(same));
        ASSERT_TRUE(prepared);
        ASSERT_TRUE(fresh.engine.commit(*prepared));
        fresh.render_block();
        ASSERT_EQ(edited.recorded[0].back(), fresh.recorded[0].back()) << "edit " << edit;
    }
}

}  // namespace
}  // namespace rta::test::engine_rounds_test
