// SPDX-License-Identifier: MIT
// A signal that is replaced by the same signal with a different latency glides to it, which avoids comb filtering.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/offline_engine.h"

namespace rta::test::engine_glide_test {
namespace {

constexpr double kRateHz = 48'000.0;
constexpr double kAmplitude = 0.5;

/// Returns the lowest level of 5 ms windows, in dB relative to the amplitude.
double lowest_level_db(std::span<const float> samples) {
    constexpr std::size_t kWindow = 240;
    double lowest = 1.0;
    for (std::size_t begin = 0; begin + kWindow <= samples.size(); begin += kWindow / 4) {
        double sum = 0.0;
        for (const float sample : samples.subspan(begin, kWindow)) sum += double{sample} * double{sample};
        lowest = std::min(lowest, 2.0 * sum / kWindow);
    }
    return 10.0 * std::log10(lowest / (kAmplitude * kAmplitude));
}

double largest_step(std::span<const float> samples) {
    double largest = 0.0;
    for (std::size_t i = 1; i < samples.size(); ++i)
        largest = std::max(largest, std::abs(double{samples[i]} - double{samples[i - 1]}));
    return largest;
}

struct EngineGlide : testing::TestWithParam<double> {
    /// A tone with a period of 1 ms, directly and through a gain, to two channels.
    void start(bool compensated = false) {
        offline.load(std::string{R"({"latency_compensation": )"} + (compensated ? "true" : "false") + R"(, "nodes": [
            {"name": "tone", "type": "sine", "parameters": {"frequency_hz": 1000, "gain_db": -6.0206}},
            {"name": "a", "type": "gain"}, {"name": "b", "type": "gain"},
            {"name": "out", "type": "output"},
            {"name": "other", "type": "output", "settings": {"first_channel": 2}} ],
            "connections": [ {"from": "tone", "to": "a"}, {"from": "a", "to": "out"},
                             {"from": "tone", "to": "b"}, {"from": "b", "to": "other"} ] })");
        offline.settle();
        offline.render_blocks(32);
    }
    Ticket insert_limiter(double look_ahead_ms) {
        const auto ticket = offline.apply({AddNode{"limiter", "lim", {{"look_ahead_ms", look_ahead_ms}}, {}},
                                           Disconnect{"a", "out"}, Connect{"a", "lim", {}}, Connect{"lim", "out", {}}});
        EXPECT_TRUE(ticket);
        return ticket ? *ticket : Ticket{};
    }
    Ticket remove_limiter() {
        const auto ticket = offline.apply({RemoveNode{"lim"}, Connect{"a", "out", {}}});
        EXPECT_TRUE(ticket);
        return ticket ? *ticket : Ticket{};
    }
    void expect_steady_tone(std::size_t channel = 0) const {
        const std::span heard{offline.recorded[channel]};
        EXPECT_GT(lowest_level_db(heard), -0.5) << "channel " << channel;
        // Changes of pitch and fades add 3 %.
        EXPECT_LT(largest_step(heard), kAmplitude * 2.0 * std::numbers::pi * 1000.0 / kRateHz * 1.03);
    }
    [[nodiscard]] std::size_t now() const { return offline.recorded[0].size(); }

    OfflineEngine offline;
};

/// Half a period is the worst latency: a crossfade cancels the tone.
INSTANTIATE_TEST_SUITE_P(LookAheadMs, EngineGlide, testing::Values(0.5, 1.5, 8.5));

TEST_P(EngineGlide, InsertedAndRemovedLookAheadDoesNotComb) {
    start();
    const std::size_t begin = now();
    const Ticket inserted = insert_limiter(GetParam());
    EXPECT_FALSE(inserted.combs);
    offline.settle();
    const auto heard = std::ranges::find(offline.transactions_heard, inserted.revision, [](auto e) { return e.first; });
    ASSERT_NE(heard, offline.transactions_heard.end());
    EXPECT_LE(heard->second, begin + inserted.starts_within_ms * 48);
    EXPECT_GE(heard->second, begin + static_cast<std::size_t>(100.0 * GetParam() * 48.0));  // 1 % of pitch
    EXPECT_FALSE(remove_limiter().combs);
    offline.settle();
    expect_steady_tone();
    // In the end no signal is late and no delay remains: the output equals that of a branch that was never edited.
    offline.render_blocks(8);
    EXPECT_TRUE(std::ranges::equal(std::span{offline.recorded[0]}.last(256), std::span{offline.recorded[1]}.last(256)));
}

TEST_P(EngineGlide, ChangedLookAheadDoesNotComb) {
    start();
    insert_limiter(0.5);
    offline.settle();
    for (const double look_ahead_ms : {0.5 + GetParam(), 1.0}) {
        offline.edit({ChangeSettings{"lim", {{"look_ahead_ms", look_ahead_ms}}}});
        offline.settle();
    }
    expect_steady_tone();
}

TEST_P(EngineGlide, CompensatedPathsGlideTogether) {
    start(true);
    // Sums the tone and its inverse over the two paths; they cancel while they are aligned.
    offline.edit({AddNode{"gain", "inverse", {}, {{"invert", 1.0F}}}, AddNode{"mixer", "sum", {{"inputs", 2.0}}, {}},
                  AddNode{"output", "summed", {{"first_channel", 2.0}}, {}}, RemoveNode{"other"}, RemoveNode{"b"},
                  Connect{"tone", "inverse", {}}, Connect{"inverse", "sum:in_1", {}}, Connect{"a", "sum:in_2", {}},
                  Connect{"sum", "summed", {}}});
    offline.settle();
    offline.render_blocks(8);
    const std::size_t begin = now();
    offline.edit({AddNode{"limiter", "lim", {{"look_ahead_ms", GetParam()}}, {}}, Disconnect{"a", "sum:in_2"},
                  Connect{"a", "lim", {}}, Connect{"lim", "sum:in_2", {}}});
    offline.settle();
    offline.edit({RemoveNode{"lim"}, Connect{"a", "sum:in_2", {}}});
    offline.settle();
    expect_steady_tone(0);
    for (const float sample : std::span{offline.recorded[1]}.subspan(begin)) ASSERT_NEAR(sample, 0.0F, 2e-3F);
}

TEST_F(EngineGlide, AnEditDuringAGlideStartsFromWhereItIs) {
    start();
    insert_limiter(5.5);
    offline.settle();
    remove_limiter();
    offline.render_blocks(100);  // the path glides back
    const Ticket ticket = *offline.apply(
        {AddNode{"gain", "g", {}, {}}, Disconnect{"a", "out"}, Connect{"a", "g", {}}, Connect{"g", "out", {}}});
    EXPECT_FALSE(ticket.combs);
    EXPECT_LT(ticket.starts_within_ms, 100U);
    offline.settle();
    expect_steady_tone();
}

/// The old path is late ahead of the port that changes.
TEST_P(EngineGlide, WhatReplacesALateSignalFurtherOnDoesNotComb) {
    start();
    for (const std::uint32_t blocks : {0U, 1U, 5U, 8U, 20U, 200U}) {
        insert_limiter(GetParam());
        ASSERT_TRUE(offline.apply({AddNode{"gain", "g", {}, {}}, Disconnect{"lim", "out"}, Connect{"lim", "g", {}},
                                   Connect{"g", "out", {}}}));
        offline.settle();
        for (auto& channel : offline.recorded) channel.clear();
        ASSERT_TRUE(offline.apply({RemoveNode{"lim"}, Connect{"a", "g", {}}}));
        offline.render_blocks(blocks);
        ASSERT_TRUE(offline.apply({RemoveNode{"g"}, Connect{"a", "out", {}}}));
        offline.settle();
        offline.render_blocks(64);
        SCOPED_TRACE(blocks);
        expect_steady_tone();
    }
}

TEST_P(EngineGlide, TwoPortsInSeriesThatChangeTogetherDoNotComb) {
    start();
    insert_limiter(GetParam());
    offline.settle();
    ASSERT_TRUE(offline.apply({RemoveNode{"lim"}, AddNode{"gain", "g", {}, {}}, Connect{"tone", "g", {}},
                               Disconnect{"tone", "a"}, Connect{"g", "a", {}}, AddNode{"gain", "h", {}, {}},
                               Connect{"a", "h", {}}, Connect{"h", "out", {}}}));
    offline.settle();
    ASSERT_TRUE(offline.apply({AddNode{"limiter", "lim", {{"look_ahead_ms", GetParam()}}, {}}, Disconnect{"tone", "g"},
                               Connect{"tone", "lim", {}}, Connect{"lim", "g", {}}, AddNode{"gain", "i", {}, {}},
                               Disconnect{"h", "out"}, Connect{"h", "i", {}}, Connect{"i", "out", {}}}));
    offline.settle();
    ASSERT_TRUE(offline.apply({RemoveNode{"lim"}, Connect{"tone", "g", {}}, RemoveNode{"i"}, Connect{"h", "out", {}}}));
    offline.settle();
    offline.render_blocks(64);
    expect_steady_tone();
}

/// Both glide back when one replaces the other. A new glide for each attempt would let the unit wait for its deadline.
TEST_F(EngineGlide, ALateSignalIsReplacedByAnotherThatIsLate) {
    for (const std::uint32_t blocks : {20U, 60U, 200U}) {
        OfflineEngine engine;
        engine.load(R"({"nodes": [
            {"name": "tone", "type": "sine", "parameters": {"frequency_hz": 1000, "gain_db": -6.0206}},
            {"name": "a", "type": "gain"}, {"name": "b", "type": "gain"},
            {"name": "late_a", "type": "limiter", "settings": {"look_ahead_ms": 9}},
            {"name": "late_b", "type": "limiter", "settings": {"look_ahead_ms": 5}},
            {"name": "out", "type": "output"},
            {"name": "other", "type": "output", "settings": {"first_channel": 2}} ],
            "connections": [ {"from": "tone", "to": "a"}, {"from": "a", "to": "late_a"}, {"from": "late_a", "to": "out"},
                             {"from": "tone", "to": "late_b"}, {"from": "late_b", "to": "b"},
                             {"from": "b", "to": "other"} ] })");
        engine.settle();
        engine.render_blocks(32);
        for (auto& channel : engine.recorded) channel.clear();
        ASSERT_TRUE(engine.apply(
            {RemoveNode{"late_a"}, Connect{"a", "out", {}}, RemoveNode{"late_b"}, Connect{"tone", "b", {}}}));
        engine.render_blocks(blocks);
        const std::uint64_t asked = engine.frame();
        const auto ticket = engine.apply({Disconnect{"a", "out"}, Connect{"b", "out", {}}});
        ASSERT_TRUE(ticket);
        EXPECT_FALSE(ticket->combs);
        engine.settle();
        const auto heard =
            std::ranges::find(engine.transactions_heard, ticket->revision, [](auto e) { return e.first; });
        ASSERT_NE(heard, engine.transactions_heard.end());
        EXPECT_LE(heard->second, asked + 480) << "no longer than the two differ";
        EXPECT_GT(lowest_level_db(engine.recorded[0]), -0.5) << blocks;
        EXPECT_GT(lowest_level_db(engine.recorded[1]), -0.5) << blocks;
    }
}

TEST_F(EngineGlide, AnEditThatIsUndoneInTheSameBlockDoesNotClick) {
    start();
    insert_limiter(4.0);
    offline.settle();
    remove_limiter();
    offline.render_blocks(100);  // the path glides back
    offline.edit(
        {AddNode{"gain", "g", {}, {}}, Disconnect{"a", "out"}, Connect{"a", "g", {}}, Connect{"g", "out", {}}});
    offline.edit({RemoveNode{"g"}, Connect{"a", "out", {}}});
    offline.settle();
    expect_steady_tone();
}

TEST_F(EngineGlide, LongLookAheadCombsAndIsReported) {
    start();
    const Ticket ticket = insert_limiter(10.5);
    EXPECT_TRUE(ticket.combs);
    EXPECT_LT(ticket.starts_within_ms, 150U);
    offline.settle();
    EXPECT_LT(lowest_level_db(offline.recorded[0]), -3.0);
}

TEST_F(EngineGlide, UnrelatedSignalsDoNotGlide) {
    start();
    const std::size_t begin = now();
    const Ticket ticket =
        *offline.apply({AddNode{"sine", "new", {}, {}}, AddNode{"limiter", "lim", {{"look_ahead_ms", 5.0}}, {}},
                        Disconnect{"a", "out"}, Connect{"new", "lim", {}}, Connect{"lim", "out", {}}});
    EXPECT_FALSE(ticket.combs);
    EXPECT_LT(ticket.starts_within_ms, 150U);
    // Until the crossfade starts, the old signal is unchanged.
    offline.render_blocks(4);
    EXPECT_TRUE(std::ranges::equal(std::span{offline.recorded[0]}.subspan(begin),
                                   std::span{offline.recorded[1]}.subspan(begin)));
}

TEST_F(EngineGlide, ManyChannelsDoNotGlideTogether) {
    std::string nodes;
    std::string connections;
    for (int i = 0; i < 20; ++i) {
        const std::string n = std::to_string(i);
        nodes += R"(, {"name": "g)" + n + R"(", "type": "gain", "settings": {"channels": 64}}, {"name": "h)" + n +
                 R"(", "type": "gain", "settings": {"channels": 64}})";
        connections += R"(, {"from": "tone", "to": "g)" + n + R"("}, {"from": "g)" + n + R"(", "to": "h)" + n +
                       R"("}, {"from": "h)" + n + R"(", "to": "out"})";
    }
    offline.load(
        R"({"nodes": [{"name": "tone", "type": "sine"}, {"name": "out", "type": "output", "settings": {"channels": 64}})" +
        nodes + R"(], "connections": [)" + connections.substr(2) + "]}");
    offline.settle();
    std::vector<bool> combs;
    for (int i = 0; i < 4; ++i) {
        const std::string n = std::to_string(i);
        const auto ticket = offline.apply(
            {AddNode{"limiter", "lim" + n, {{"look_ahead_ms", 5.0}, {"channels", 64.0}}, {}},
             Disconnect{"g" + n, "h" + n}, Connect{"g" + n, "lim" + n, {}}, Connect{"lim" + n, "h" + n, {}}});
        ASSERT_TRUE(ticket);
        combs.push_back(ticket->combs);
    }
    EXPECT_EQ(combs, (std::vector{false, true, true, true}));
    offline.settle();
}

}  // namespace
}  // namespace rta::test::engine_glide_test
