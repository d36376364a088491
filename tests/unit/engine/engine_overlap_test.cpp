// SPDX-License-Identifier: MIT
// Edits that overlap in time: no edit causes a step or a dip in a signal that it does not change, no edit delays
// another, and every transaction takes effect as a whole. Uses only the public interface of the engine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/effort.h"
#include "support/live_processors.h"
#include "support/offline_engine.h"

namespace rta::test::engine_overlap_test {
namespace {

constexpr std::size_t kFade = 480;  // 10 ms at 48 kHz
constexpr std::size_t kBlock = 64;
constexpr float kLevel = 0.5F;
/// A constant of 0.5 that fades over 10 ms changes by 0.00104 per frame.
constexpr float kFadeStep = 0.0011F;
constexpr float kExact = 1e-5F;  // float32 sums of a few products

float largest_step(std::span<const float> samples) {
    float largest = 0.0F;
    for (std::size_t i = 1; i < samples.size(); ++i) largest = std::max(largest, std::abs(samples[i] - samples[i - 1]));
    return largest;
}

/// Largest step of a sine of amplitude 0.5.
float sine_step(float frequency_hz) { return 2.0F * std::numbers::pi_v<float> * frequency_hz / 48'000.0F * kLevel; }

/// Applies an edit, which must succeed. While the engine has no room for it, renders a block and retries, as the daemon
/// does.
void edit(OfflineEngine& offline, const std::vector<Edit>& edits) {
    for (int i = 0; i < 5'000; ++i) {
        const auto ticket = offline.apply(edits);
        if (ticket) return;
        const bool full = ticket.error().code == ErrorCode::resource_exhausted && !ticket.error().edit_index;
        ASSERT_TRUE(full) << ticket.error().sentence;
        offline.render_block();
        offline.poll();
    }
    FAIL() << "the engine refuses the edit for more than 5,000 blocks";
}

AddNode gain(const std::string& name, float gain_db = 0.0F) { return {"gain", name, {}, {{"gain_db", gain_db}}}; }
/// A compressor that only delays: no signal is above its threshold.
AddNode look_ahead(const std::string& name, double look_ahead_ms) {
    return {"compressor",
            name,
            {{"look_ahead_ms", look_ahead_ms}},
            {{"threshold_db", 0.0F}, {"ratio", 1.0F}, {"knee_db", 0.0F}}};
}
AddNode delay_line(const std::string& name, float time_ms) { return {"delay_line", name, {}, {{"time_ms", time_ms}}}; }

/// Returns the edits that change the connections of one path of nodes into those of another.
std::vector<Edit> rewire(const std::vector<std::string>& before, const std::vector<std::string>& after) {
    const auto connections_of = [](const std::vector<std::string>& path) {
        std::set<std::pair<std::string, std::string>> connections;
        for (std::size_t i = 1; i < path.size(); ++i) connections.emplace(path[i - 1], path[i]);
        return connections;
    };
    const auto old_connections = connections_of(before);
    const auto new_connections = connections_of(after);
    std::vector<Edit> edits;
    for (const auto& connection : old_connections) {
        if (!new_connections.contains(connection)) edits.emplace_back(Disconnect{connection.first, connection.second});
    }
    for (const auto& connection : new_connections) {
        if (!old_connections.contains(connection)) edits.emplace_back(Connect{connection.first, connection.second, {}});
    }
    return edits;
}

std::vector<Edit> operator+(std::vector<Edit> first, const std::vector<Edit>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

std::vector<Edit> insertion(AddNode node, const std::string& from, const std::string& to) {
    const std::string name = node.name;
    return {std::move(node), Disconnect{from, to}, Connect{from, name, {}}, Connect{name, to, {}}};
}

struct EngineOverlap : testing::Test {
    /// Connects a constant to the first channel of the device and another to the second, with `more` in the same
    /// transaction.
    static void start(OfflineEngine& offline, const std::vector<Edit>& more = {}) {
        edit(offline,
             std::vector<Edit>{AddNode{"constant", "dc", {}, {{"value", kLevel}}}, AddNode{"output", "out", {}, {}},
                               AddNode{"constant", "other_dc", {}, {{"value", kLevel}}},
                               AddNode{"output", "other", {{"first_channel", 2.0}}, {}}, Connect{"dc", "out", {}},
                               Connect{"other_dc", "other", {}}} +
                 more);
        offline.settle();
        offline.render_blocks(32);
    }
    void start(const std::vector<Edit>& more = {}) { start(offline, more); }
    void apply(const std::vector<Edit>& edits) { edit(offline, edits); }

    [[nodiscard]] std::size_t now() const { return offline.recorded[0].size(); }
    static void expect_constant(const OfflineEngine& played, std::size_t channel, float tolerance,
                                const std::string& what = {}) {
        const auto [low, high] = std::ranges::minmax(played.recorded[channel]);
        EXPECT_GE(low, kLevel - tolerance) << "channel " << channel << ' ' << what;
        EXPECT_LE(high, kLevel + tolerance) << "channel " << channel << ' ' << what;
    }
    void expect_constant(std::size_t channel, float tolerance = kExact) const {
        expect_constant(offline, channel, tolerance);
    }
    /// Checks that the first channel, disconnected at `begin`, fades out immediately: after at most one other fade.
    void expect_fades_out_from(std::size_t begin) const {
        const auto& heard = offline.recorded[0];
        const auto first_below = std::find_if(heard.begin() + static_cast<std::ptrdiff_t>(begin), heard.end(),
                                              [](float sample) { return sample < kLevel - kExact; });
        const auto last_above =
            std::find_if(heard.rbegin(), heard.rend(), [](float sample) { return sample != 0.0F; }).base();
        EXPECT_LE(first_below - heard.begin(), static_cast<std::ptrdiff_t>(begin + kFade + 3 * kBlock))
            << "it starts late, by frames after the request: " << first_below - heard.begin() - std::ptrdiff_t(begin);
        EXPECT_LE(last_above - heard.begin(), static_cast<std::ptrdiff_t>(begin + 2 * kFade + 3 * kBlock))
            << "it ends late, by frames after the request: " << last_above - heard.begin() - std::ptrdiff_t(begin);
        EXPECT_LT(largest_step(heard), kFadeStep);
    }

    OfflineEngine offline;
};

// The number of plans does not grow.

TEST_F(EngineOverlap, FrequentChangesOfLookAheadKeepFewProcessors) {
    OfflineEngine counted{{}, counting_nodes()};
    start(counted);
    edit(counted, insertion(look_ahead("comp", 49.0), "dc", "out"));
    counted.settle();
    const auto nodes = static_cast<std::ptrdiff_t>(counted.engine.graph().node_count());
    EXPECT_EQ(live_processors(), nodes) << "before the changes";
    std::ptrdiff_t most_processors = 0;
    std::uint64_t most_plans = 0;
    for (int i = 0; i < 400; ++i) {
        edit(counted, {ChangeSettings{"comp", {{"look_ahead_ms", i % 2 == 0 ? 50.0 : 49.0}}}});
        for (int block = 0; block < 2; ++block) {
            counted.render_block();
            most_processors = std::max(most_processors, live_processors());
            most_plans = std::max(most_plans, counted.engine.statistics().plans_alive);
        }
    }
    EXPECT_LE(most_processors, nodes + 40) << "while look-ahead changes";
    EXPECT_LE(most_plans, 8U) << "while look-ahead changes";
    counted.settle();
    EXPECT_EQ(live_processors(), nodes) << "after the changes";
    EXPECT_EQ(counted.engine.statistics().plans_alive, 1U);
    expect_constant(counted, 0, kExact);
    expect_constant(counted, 1, kExact);
}

// No client delays another.

TEST_F(EngineOverlap, ChangesOfLookAheadElsewhereDoNotDelayAFadeOut) {
    // The compressor is in a separate branch without output.
    start({look_ahead("comp", 49.0), gain("silent"), Connect{"comp", "silent", {}}});
    int changes = 0;
    const auto change = [&] { apply({ChangeSettings{"comp", {{"look_ahead_ms", changes++ % 2 == 0 ? 50.0 : 49.0}}}}); };
    // An edit every 30 ms, long enough before and after the disconnection.
    std::size_t begin = 0;
    for (std::uint32_t block = 0; block < 1'000; ++block) {
        if (block * kBlock / 1'440 != (block + 1) * kBlock / 1'440) change();
        if (block == 507) {
            begin = now();
            apply({Disconnect{"dc", "out"}});
        }
        offline.render_block();
    }
    offline.settle();
    expect_fades_out_from(begin);
    expect_constant(1);
}

TEST_F(EngineOverlap, AChainOfLookAheadElsewhereDoesNotDelayAFadeOut) {
    start();
    std::vector<Edit> chain{Disconnect{"other_dc", "other"}};
    std::string before = "other_dc";
    for (int i = 0; i < 20; ++i) {
        AddNode node = look_ahead("comp" + std::to_string(i), 50.0);
        chain.emplace_back(node);
        chain.emplace_back(Connect{before, node.name, {}});
        before = node.name;
    }
    chain.emplace_back(Connect{before, "other", {}});
    apply(chain);
    offline.render_blocks(2);
    const std::size_t begin = now();
    apply({Disconnect{"dc", "out"}});
    offline.settle();
    expect_fades_out_from(begin);
    expect_constant(1);
}

// No step although a delay is not filled yet.

TEST_F(EngineOverlap, ACompensatedConnectionAtZeroGainReturnsWithoutAStep) {
    for (const float frequency_hz : {100.0F, 1'000.0F}) {
        for (const std::uint32_t blocks : {3U, 100U}) {
            OfflineEngine sine;
            edit(sine, {SetLatencyCompensation{true},
                        AddNode{"sine", "s", {}, {{"frequency_hz", frequency_hz}, {"gain_db", -6.0206F}}},
                        AddNode{"limiter", "lim", {{"look_ahead_ms", 20.0}}, {}}, AddNode{"output", "o", {}, {}},
                        Connect{"s", "lim", {}}, Connect{"lim", "o", {}}});
            sine.settle();
            sine.render_blocks(200);
            edit(sine, {Connect{"s", "o", -120.0F}});
            sine.render_blocks(blocks);
            edit(sine, {Connect{"s", "o", 0.0F}});
            sine.settle();
            sine.render_blocks(100);
            // Both paths together have twice the amplitude.
            EXPECT_LT(largest_step(std::span{sine.recorded[0]}.subspan(1'440)),
                      2.0F * sine_step(frequency_hz) + kFadeStep)
                << frequency_hz << " Hz, " << blocks << " blocks";
            EXPECT_NEAR(std::ranges::max(std::span{sine.recorded[0]}.last(960)), 2.0F * kLevel, 0.01F);
        }
    }
}

TEST_F(EngineOverlap, ADelayLineInsertedWithoutDelayLaterDelaysWithoutAStep) {
    for (const float time_ms : {20.0F, 250.0F, 900.0F}) {
        OfflineEngine line;
        start(line);
        edit(line, insertion(delay_line("line", 0.0F), "dc", "out"));
        line.settle();
        const SetParameter later{"line", "time_ms", time_ms, {}};
        ASSERT_TRUE(line.engine.set_parameters({&later, 1}));
        line.render_blocks(1'000);
        EXPECT_LT(largest_step(line.recorded[0]), kFadeStep) << time_ms << " ms";
        EXPECT_EQ(line.recorded[0].back(), kLevel) << time_ms << " ms";
    }
}

TEST_F(EngineOverlap, ANewOutputBehindReplacedLookAheadFadesInWithoutAStep) {
    for (const double look_ahead_ms : {1.0, 5.0, 20.0, 50.0}) {
        for (const std::uint32_t blocks : {0U, 1U, 4U, 12U}) {
            const std::string what =
                "replaced by " + std::to_string(look_ahead_ms) + " ms after " + std::to_string(blocks) + " blocks";
            OfflineEngine late;
            start(late);
            edit(late, {look_ahead("comp", 30.0), AddNode{"output", "late", {}, {}}, Connect{"dc", "comp", {}},
                        Connect{"comp", "late", {}}});
            late.render_blocks(blocks);
            edit(late, {ChangeSettings{"comp", {{"look_ahead_ms", look_ahead_ms}}}});
            late.settle();
            late.render_blocks(100);
            EXPECT_LT(largest_step(late.recorded[0]), kFadeStep) << what;
            EXPECT_GE(std::ranges::min(late.recorded[0]), kLevel - kExact) << what;
            EXPECT_NEAR(late.recorded[0].back(), 2.0F * kLevel, kExact) << what;
        }
    }
}

TEST_F(EngineOverlap, ADelayLineBehindSilentLookAheadStartsWithoutAStep) {
    for (const bool together : {false, true}) {
        for (const std::uint32_t blocks : {1U, 2U, 6U, 10U}) {
            for (const float time_ms : {5.0F, 100.0F}) {
                OfflineEngine delayed;
                start(delayed);
                edit(delayed, {AddNode{"limiter", "lim", {{"look_ahead_ms", 20.0}}, {}}, Connect{"dc", "lim", {}}});
                delayed.render_blocks(blocks);
                const std::vector<Edit> disconnection{Disconnect{"dc", "lim"}};
                const std::vector<Edit> addition{delay_line("line", time_ms), Connect{"lim", "line", {}},
                                                 Connect{"line", "out", {}}};
                if (together) {
                    edit(delayed, disconnection + addition);
                } else {
                    edit(delayed, disconnection);
                    edit(delayed, addition);
                }
                delayed.settle();
                delayed.render_blocks(300);
                const std::string what = std::to_string(blocks) + " blocks, " + std::to_string(time_ms) + " ms, " +
                                         (together ? "one transaction" : "two transactions");
                // The delayed signal itself fades, and the input of the delay line may fade at the same time.
                EXPECT_LT(largest_step(delayed.recorded[0]), 2.0F * kFadeStep) << what;
                EXPECT_EQ(delayed.recorded[0].back(), kLevel) << what;
            }
        }
    }
}

// Loops.

TEST_F(EngineOverlap, AReversedConnectionInTheSameTransactionDoesNotDipAnInsertion) {
    start({gain("p"), gain("q"), Connect{"p", "q", {}}, Connect{"q", "other", {}}});
    apply(std::vector<Edit>{Disconnect{"p", "q"}, Connect{"q", "p", {}}} + insertion(gain("unity"), "dc", "out"));
    offline.settle();
    expect_constant(0);
    expect_constant(1);
}

TEST_F(EngineOverlap, AReversedConnectionInAnotherTransactionDoesNotDipAnInsertion) {
    for (const bool reversed_first : {false, true}) {
        for (const std::uint32_t blocks : {0U, 1U, 3U}) {
            OfflineEngine reversed;
            start(reversed, {gain("p"), gain("q"), Connect{"p", "q", {}}, Connect{"q", "other", {}}});
            const std::vector<Edit> reversal{Disconnect{"p", "q"}, Connect{"q", "p", {}}};
            const std::vector<Edit> unity = insertion(gain("unity"), "dc", "out");
            edit(reversed, reversed_first ? reversal : unity);
            reversed.render_blocks(blocks);
            edit(reversed, reversed_first ? unity : reversal);
            reversed.settle();
            expect_constant(reversed, 0, kExact, std::to_string(blocks) + " blocks between");
            expect_constant(reversed, 1, kExact, std::to_string(blocks) + " blocks between");
        }
    }
}

TEST_F(EngineOverlap, TwoUnityNodesThatChangePlacesDoNotDip) {
    start(std::vector<Edit>{gain("a"), gain("b"), Disconnect{"dc", "out"}} + rewire({}, {"dc", "a", "b", "out"}));
    apply(rewire({"dc", "a", "b", "out"}, {"dc", "b", "a", "out"}));
    offline.settle();
    expect_constant(0);
}

TEST_F(EngineOverlap, AReversedChainOfUnityNodesDoesNotDip) {
    const std::vector<std::string> path{"dc", "a", "b", "c", "d", "e", "out"};
    start(std::vector<Edit>{gain("a"), gain("b"), gain("c"), gain("d"), gain("e"), Disconnect{"dc", "out"}} +
          rewire({}, path));
    apply(rewire(path, {"dc", "e", "d", "c", "b", "a", "out"}));
    offline.settle();
    expect_constant(0);
}

// Consecutive insertions.

struct EngineOverlapSpacing : EngineOverlap, testing::WithParamInterface<std::uint32_t> {};

TEST_P(EngineOverlapSpacing, FourInsertedUnityNodesDoNotDip) {
    start();
    std::string before = "dc";
    for (int i = 0; i < 4; ++i) {
        const std::string name = "unity" + std::to_string(i);
        apply(insertion(gain(name), before, "out"));
        before = name;
        offline.render_blocks(GetParam());
    }
    offline.settle();
    expect_constant(0);
}

TEST_P(EngineOverlapSpacing, FourUnityNodesInsertedAtOnePortDoNotDip) {
    start({gain("v"), Disconnect{"dc", "out"}, Connect{"dc", "v", {}}, Connect{"v", "out", {}}});
    std::string after = "v";
    for (int i = 0; i < 4; ++i) {
        const std::string name = "unity" + std::to_string(i);
        apply(insertion(gain(name), "dc", after));
        after = name;
        offline.render_blocks(GetParam());
    }
    for (int i = 0; i < 4; ++i) {
        const std::string name = "unity" + std::to_string(i);
        apply({RemoveNode{name}, Connect{i == 3 ? "dc" : "unity" + std::to_string(i + 1), "v", {}}});
        offline.render_blocks(GetParam());
    }
    offline.settle();
    expect_constant(0);
}

/// 1 block: 1.3 ms, 4 blocks: 5.3 ms.
INSTANTIATE_TEST_SUITE_P(BlocksApart, EngineOverlapSpacing, testing::Values(1U, 4U), testing::PrintToStringParamName());

TEST_F(EngineOverlap, AnInsertionWhileLookAheadFadesInDoesNotDip) {
    start();
    apply(insertion(look_ahead("comp", 50.0), "dc", "out"));
    offline.render_blocks(42);  // 56 ms
    apply(insertion(gain("unity"), "comp", "out"));
    offline.settle();
    offline.render_blocks(10);
    EXPECT_GT(std::ranges::min(offline.recorded[0]), kLevel * 0.944F) << "a dip of more than 0.5 dB";
    EXPECT_LT(std::ranges::max(offline.recorded[0]), kLevel + kExact);
}

// A transaction takes effect as a whole.

TEST_F(EngineOverlap, AParameterWaitsForTheInsertionOfItsTransaction) {
    // Two branches: a parameter fades `left` out while a branch with look-ahead replaces it.
    start({gain("left"), Disconnect{"dc", "out"}, Connect{"dc", "left", {}}, Connect{"left", "out", {}}});
    apply({SetParameter{"left", "gain_db", -120.0F, kConnectionFadeMs}, look_ahead("right", 20.0),
           Connect{"dc", "right", {}}, Connect{"right", "out", {}}});
    offline.settle();
    offline.render_blocks(10);
    expect_constant(0, 0.02F * kLevel);
}

TEST_F(EngineOverlap, MoreGainBeforeANodeWaitsForLessGainBehindIt) {
    // The product of two gains in series changes while they fade, even if both fade together from s = 0 to 1: it is (1
    // + 9 s)(1 - 0.9 s), at most 3.025. If one waited for the other, it would be 10.
    constexpr float kTogether = 3.025F;
    constexpr float kQuiet = 0.05F;
    const auto expect_whole = [&](const OfflineEngine& played, std::size_t begin, const std::string& what) {
        const auto heard = std::span{played.recorded[0]}.subspan(begin);
        EXPECT_GT(std::ranges::min(heard), 0.98F * kQuiet) << what;
        EXPECT_LT(std::ranges::max(heard), 1.02F * kTogether * kQuiet) << what;
        EXPECT_NEAR(heard.back(), kQuiet, 1e-5F) << what;
    };
    for (const double look_ahead_ms : {0.0, 20.0, 50.0}) {
        for (const std::string by : {"parameter", "connection", "node"}) {
            const std::string what = "by a " + by + ", look-ahead " + std::to_string(look_ahead_ms) + " ms";
            OfflineEngine whole;
            start(whole, {SetParameter{"dc", "value", kQuiet, 0.0F}, gain("before"), gain("x"), Disconnect{"dc", "out"},
                          Connect{"dc", "before", {}}, Connect{"before", "x", {}}, Connect{"x", "out", {}}});
            std::vector<Edit> edits = insertion(gain("down", -20.0F), "x", "out");
            // Inserted before both, so that both change at the same frames of the signal.
            if (look_ahead_ms > 0.0) edits = edits + insertion(look_ahead("comp", look_ahead_ms), "dc", "before");
            if (by == "parameter") edits.emplace_back(SetParameter{"before", "gain_db", 20.0F, kConnectionFadeMs});
            if (by == "connection") edits.emplace_back(Connect{"before", "x", 20.0F});
            if (by == "node") edits = edits + insertion(gain("up", 20.0F), "before", "x");
            const std::size_t begin = whole.recorded[0].size();
            edit(whole, edits);
            whole.settle();
            whole.render_blocks(10);
            expect_whole(whole, begin, what);
        }
    }
}

/// A change that waits must not take effect after a later change of the same parameter.
TEST_F(EngineOverlap, ALaterParameterReplacesOneThatWaits) {
    for (const bool in_transaction : {false, true}) {
        OfflineEngine set;
        start(set, {gain("v"), Disconnect{"dc", "out"}, Connect{"dc", "v", {}}, Connect{"v", "out", {}}});
        edit(set, insertion(look_ahead("comp", 50.0), "dc", "v") +
                      std::vector<Edit>{SetParameter{"v", "gain_db", -12.0F, kConnectionFadeMs}});
        set.render_blocks(2);
        const SetParameter later{"v", "gain_db", -6.0206F, kConnectionFadeMs};
        if (in_transaction) {
            edit(set, {later});
        } else {
            ASSERT_TRUE(set.engine.set_parameters({&later, 1}));
        }
        set.settle();
        set.render_blocks(40);
        EXPECT_NEAR(set.recorded[0].back(), 0.5F * kLevel, 1e-4F)
            << (in_transaction ? "by a transaction" : "by itself");
        EXPECT_LT(largest_step(set.recorded[0]), kFadeStep);
    }
}

TEST_F(EngineOverlap, AnInsertionThatPlugsInAnUnheardNodeDoesNotDip) {
    start({gain("spare")});
    apply({gain("unity"), Disconnect{"dc", "out"}, Connect{"dc", "unity", {}}, Connect{"unity", "spare", {}},
           Connect{"spare", "out", {}}});
    offline.settle();
    expect_constant(0);
    apply({RemoveNode{"unity"}, Disconnect{"spare", "out"}, Connect{"dc", "out", {}}});
    offline.settle();
    expect_constant(0);
}

TEST_F(EngineOverlap, UnheardNodesArePluggedInAndOutWithoutADip) {
    start({gain("a"), gain("b"), gain("c")});
    const std::vector<std::string> direct{"dc", "out"};
    const std::vector<std::vector<std::string>> paths{
        {"dc", "a", "out"}, {"dc", "a", "b", "out"}, {"dc", "a", "b", "c", "out"}, {"dc", "c", "a", "b", "out"}};
    for (const auto& path : paths) {
        apply(rewire(direct, path));
        offline.settle();
        apply(rewire(path, direct));
        offline.settle();
    }
    expect_constant(0);
}

TEST_F(EngineOverlap, AConnectionThatReturnsWithAnotherGainDoesNotMoveTheLevel) {
    constexpr float kHalfDb = -6.0206F;
    for (const AddNode& returning : {gain("a"), look_ahead("a", 27.0)}) {
        for (const std::uint32_t blocks : {1U, 3U, 7U, 9U, 16U}) {
            OfflineEngine returned;
            // Two nodes in parallel, each with half of the signal. One of them is reinserted with the whole signal.
            start(returned, {returning, gain("b"), Disconnect{"dc", "out"}, Connect{"dc", "a", kHalfDb},
                             Connect{"dc", "b", kHalfDb}, Connect{"a", "out", {}}, Connect{"b", "out", {}}});
            const std::size_t begin = returned.recorded[0].size();
            edit(returned, {Disconnect{"dc", "a"}, Disconnect{"dc", "b"}, Disconnect{"a", "out"},
                            Disconnect{"b", "out"}, Connect{"dc", "out", {}}});
            returned.render_blocks(blocks);
            edit(returned, {Disconnect{"dc", "out"}, Connect{"dc", "a", 0.0F}, Connect{"a", "out", {}}});
            returned.settle();
            const auto [low, high] = std::ranges::minmax(std::span{returned.recorded[0]}.subspan(begin));
            EXPECT_GE(low, kLevel - kExact) << returning.type << ", " << blocks << " blocks between";
            EXPECT_LE(high, kLevel + kExact) << returning.type << ", " << blocks << " blocks between";
        }
    }
}

TEST_F(EngineOverlap, ANodeThatFadesOutAndReturnsElsewhereDoesNotMoveTheLevel) {
    constexpr float kHalfDb = -6.0206F;
    for (const AddNode& second : {gain("d"), look_ahead("d", 27.0)}) {
        for (const std::uint32_t blocks : {1U, 2U, 3U, 5U, 7U, 9U, 16U}) {
            OfflineEngine returned;
            // dc -> a -> c -> out in parallel with dc -> b -> d -> out, each with half of the signal.
            start(returned, {gain("a"), gain("b"), gain("c"), second, Disconnect{"dc", "out"},
                             Connect{"dc", "a", kHalfDb}, Connect{"dc", "b", kHalfDb}, Connect{"a", "c", {}},
                             Connect{"b", "d", {}}, Connect{"c", "out", {}}, Connect{"d", "out", {}}});
            const std::size_t begin = returned.recorded[0].size();
            edit(returned, {Disconnect{"a", "c"}, Disconnect{"b", "d"}, Disconnect{"c", "out"}, Disconnect{"d", "out"},
                            Connect{"a", "out", {}}, Connect{"b", "out", {}}});
            returned.render_blocks(blocks);
            // Inserted before a and b, where it receives the whole signal.
            edit(returned, {Disconnect{"dc", "a"}, Disconnect{"dc", "b"}, Connect{"dc", "d", {}},
                            Connect{"d", "a", kHalfDb}, Connect{"d", "b", kHalfDb}});
            returned.settle();
            returned.render_blocks(40);
            const auto [low, high] = std::ranges::minmax(std::span{returned.recorded[0]}.subspan(begin));
            EXPECT_GE(low, kLevel - kExact) << second.type << ", " << blocks << " blocks between";
            EXPECT_LE(high, kLevel + kExact) << second.type << ", " << blocks << " blocks between";
        }
    }
}

TEST_F(EngineOverlap, ANodeThatFadesOutAndReturnsAtAnotherGainDoesNotMoveTheLevel) {
    constexpr float kHalfDb = -6.0206F;
    for (const AddNode& last : {gain("d"), look_ahead("d", 27.0)}) {
        for (const std::uint32_t blocks : {1U, 2U, 4U, 7U, 9U, 16U}) {
            OfflineEngine returned;
            start(returned,
                  {gain("a"), gain("b"), gain("v"), Disconnect{"dc", "out"}, Connect{"dc", "a", kHalfDb},
                   Connect{"dc", "b", kHalfDb}, Connect{"a", "v", {}}, Connect{"b", "v", {}}, Connect{"v", "out", {}}});
            // dc -> a -> c -> v in parallel with dc -> b -> d -> v, each with half of the signal.
            edit(returned, {gain("c"), last, Disconnect{"a", "v"}, Disconnect{"b", "v"}, Connect{"a", "c", {}},
                            Connect{"b", "d", {}}, Connect{"c", "v", {}}, Connect{"d", "v", {}}});
            returned.settle();
            returned.render_blocks(60);
            const std::size_t begin = returned.recorded[0].size();
            edit(returned, {Disconnect{"dc", "a"}, Disconnect{"dc", "b"}, Disconnect{"a", "c"}, Disconnect{"b", "d"},
                            Connect{"dc", "c", kHalfDb}, Connect{"dc", "d", kHalfDb}});
            returned.render_blocks(blocks);
            // b feeds both with the whole signal.
            edit(returned, {Disconnect{"dc", "c"}, Disconnect{"dc", "d"}, Connect{"dc", "b", {}},
                            Connect{"b", "c", kHalfDb}, Connect{"b", "d", kHalfDb}});
            returned.settle();
            returned.render_blocks(60);
            const auto [low, high] = std::ranges::minmax(std::span{returned.recorded[0]}.subspan(begin));
            EXPECT_GE(low, kLevel - kExact) << last.type << ", " << blocks << " blocks between";
            EXPECT_LE(high, kLevel + kExact) << last.type << ", " << blocks << " blocks between";
        }
    }
}

TEST_F(EngineOverlap, RandomRewiringsOfUnityNodesDoNotMoveTheLevel) {
    for (std::uint32_t seed = 1; seed <= cases(10U, 3U); ++seed) {
        OfflineEngine rewired;
        std::vector<std::string> names{"a", "b", "c", "d", "e"};
        start(rewired, {gain("a"), gain("b"), gain("c"), gain("d"), gain("e")});
        std::mt19937 random{seed};
        std::vector<std::string> path{"dc", "out"};
        for (int i = 0; i < 100; ++i) {
            std::ranges::shuffle(names, random);
            std::vector<std::string> next{"dc"};
            next.insert(next.end(), names.begin(), names.begin() + static_cast<std::ptrdiff_t>(random() % 6U));
            next.emplace_back("out");
            if (const auto edits = rewire(path, next); !edits.empty()) edit(rewired, edits);
            path = next;
            rewired.render_blocks(i % 4 == 3 ? 3 : 2);  // 3 ms on average
        }
        rewired.settle();
        expect_constant(rewired, 0, 1e-4F, "seed " + std::to_string(seed));
        expect_constant(rewired, 1, 1e-4F, "seed " + std::to_string(seed));
    }
}

}  // namespace
}  // namespace rta::test::engine_overlap_test
