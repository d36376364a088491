// SPDX-License-Identifier: MIT
// Waiting transactions: their promises, what they must keep while they wait, and that they do not delay others.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/offline_engine.h"

namespace rta::test::engine_waiting_test {
namespace {

constexpr std::size_t kBlock = 64;

struct EngineWaiting : testing::Test {
    /// Connects a constant of 0.5 to the first channel, another to the second, and adds more.
    void start(const std::string& more_nodes = {}, const std::string& more_connections = {}) {
        offline.load(R"({"nodes": [ {"name": "dc", "type": "constant", "parameters": {"value": 0.5}},
                                    {"name": "out", "type": "output"},
                                    {"name": "other_dc", "type": "constant", "parameters": {"value": 0.5}},
                                    {"name": "other", "type": "output", "settings": {"first_channel": 2}} )" +
                     more_nodes + R"( ], "connections": [ {"from": "dc", "to": "out"},
                                                          {"from": "other_dc", "to": "other"} )" +
                     more_connections + "] }");
        offline.settle();
        offline.render_blocks(8);
    }
    /// Starts a round, for which all later transactions wait.
    void start_round() {
        offline.edit({AddNode{"gain", "in_round", {}, {}}, Disconnect{"dc", "out"}, Connect{"dc", "in_round", {}},
                      Connect{"in_round", "out", {}}});
        offline.render_block();
    }
    /// Returns edits that insert 20 compressors of 50 ms between the other constant and its output.
    static std::vector<Edit> a_second_of_look_ahead() {
        std::vector<Edit> edits{Disconnect{"other_dc", "other"}};
        std::string before = "other_dc";
        for (int i = 0; i < 20; ++i) {
            const std::string name = "comp" + std::to_string(i);
            edits.emplace_back(AddNode{"compressor", name, {{"look_ahead_ms", 50.0}}, {{"threshold_db", 0.0F}}});
            edits.emplace_back(Connect{before, name, {}});
            before = name;
        }
        edits.emplace_back(Connect{before, "other", {}});
        return edits;
    }
    static std::vector<Edit> joined(std::vector<Edit> edits, const std::vector<Edit>& more) {
        edits.insert(edits.end(), more.begin(), more.end());
        return edits;
    }
    /// Commits, retries while the queue is full, and records the promised start.
    std::uint64_t commit(const std::vector<Edit>& edits) {
        for (int i = 0; i < 3000; ++i) {
            const auto ticket = offline.apply(edits);
            if (ticket) {
                bounds.emplace_back(ticket->revision, offline.frame() + ticket->starts_within_ms * 48ULL);
                return ticket->revision;
            }
            EXPECT_EQ(ticket.error().code, ErrorCode::resource_exhausted) << ticket.error().sentence;
            EXPECT_FALSE(ticket.error().edit_index) << ticket.error().sentence;
            offline.render_block();
        }
        ADD_FAILURE() << "refused for 4 s";
        return 0;
    }
    [[nodiscard]] std::uint64_t heard(std::uint64_t revision) const {
        for (const auto& [number, frame] : offline.transactions_heard) {
            if (number == revision) return frame;
        }
        ADD_FAILURE() << "revision " << revision << " is not heard";
        return 0;
    }
    void expect_bounds_kept() const {
        for (const auto& [revision, frame] : bounds) EXPECT_LE(heard(revision), frame + kBlock) << revision;
    }

    OfflineEngine offline;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> bounds;
};

constexpr const char* kPairs = R"(, {"name": "x", "type": "gain"}, {"name": "y", "type": "mixer"},
    {"name": "u", "type": "gain"}, {"name": "v", "type": "mixer"}, {"name": "w", "type": "gain"},
    {"name": "sum", "type": "output"} )";
constexpr const char* kPairConnections = R"(, {"from": "x", "to": "y:in_1"}, {"from": "u", "to": "v:in_1"},
    {"from": "y", "to": "sum"}, {"from": "v", "to": "sum"} )";

TEST_F(EngineWaiting, WhatClosesALoopWithAWaitingChangeStatesTheBoundOfThatChange) {
    start(kPairs, kPairConnections);
    commit(joined(a_second_of_look_ahead(), {Disconnect{"x", "y:in_1"}}));
    offline.render_blocks(2);
    commit({Connect{"y", "x", {}}});
    offline.settle();
    expect_bounds_kept();
}

TEST_F(EngineWaiting, WhatFillsBeforeANodeThatIsNotHeardCounts) {
    start(R"(, {"name": "g", "type": "gain"} )");
    commit(joined(a_second_of_look_ahead(),
                  {Disconnect{"comp19", "other"}, Connect{"comp19", "g", {}}, Connect{"g", "other", {}}}));
    offline.settle();
    expect_bounds_kept();
}

TEST_F(EngineWaiting, ExistingLookAheadThatIsConnectedToAChainCounts) {
    start();
    std::vector<Edit> nodes;
    std::vector<Edit> chain{Connect{"other_dc", "comp0", {}}, Connect{"comp19", "other", {}}};
    for (int i = 0; i < 20; ++i) {
        nodes.emplace_back(
            AddNode{"compressor", "comp" + std::to_string(i), {{"look_ahead_ms", 50.0}}, {{"threshold_db", 0.0F}}});
        if (i > 0) chain.emplace_back(Connect{"comp" + std::to_string(i - 1), "comp" + std::to_string(i), {}});
    }
    offline.edit(std::move(nodes));
    offline.settle();
    commit(chain);
    offline.settle();
    expect_bounds_kept();
}

TEST_F(EngineWaiting, WhatFillsAgainDoesNotDelayWhatHasStartedToPrepare) {
    start();
    offline.edit({AddNode{"gain", "g", {}, {}}, Connect{"other_dc", "g", {}}});
    std::vector<Edit> chain = a_second_of_look_ahead();
    chain.erase(chain.begin());  // the other constant stays in place
    chain.emplace_back(Disconnect{"other_dc", "comp0"});
    chain.emplace_back(Disconnect{"comp19", "other"});
    offline.edit(std::move(chain));
    offline.render_blocks(800);  // the chain is filled
    offline.settle();
    commit({Connect{"g", "comp0", {}}, Connect{"comp19", "other", {}}});
    offline.render_blocks(400);
    commit({AddNode{"gain", "more", {}, {}}, Disconnect{"other_dc", "g"}, Connect{"other_dc", "more", {}},
            Connect{"more", "g", {}}});
    offline.settle();
    expect_bounds_kept();
}

TEST_F(EngineWaiting, WhatFillsAgainDoesNotDelayWhatWaitsForIt) {
    start();
    offline.edit({AddNode{"gain", "g", {}, {}}, Connect{"dc", "g", {}}});
    offline.render_blocks(8);
    const auto look_ahead = [](const char* name) { return AddNode{"compressor", name, {{"look_ahead_ms", 50.0}}, {}}; };
    commit({look_ahead("waits"), Connect{"g", "waits", {}}, Connect{"waits", "out", {}}});
    offline.render_blocks(30);
    const std::uint64_t later =
        commit({look_ahead("more"), Disconnect{"dc", "g"}, Connect{"dc", "more", {}}, Connect{"more", "g", {}}});
    offline.settle();
    expect_bounds_kept();
    EXPECT_NE(heard(later), 0U);
}

TEST_F(EngineWaiting, UnitsThatOpenEachOthersLoopsStart) {
    start(kPairs, kPairConnections);
    start_round();
    commit({Disconnect{"u", "v:in_1"}});
    commit({Disconnect{"x", "y:in_1"}, Connect{"v", "u", {}}});
    commit({Connect{"y", "x", {}}, Connect{"w", "v:in_1", {}}});
    offline.settle();
    expect_bounds_kept();
    EXPECT_EQ(offline.transactions_heard.size(), offline.engine.revision());
}

TEST_F(EngineWaiting, AnotherClientsTransactionDoesNotTakeAParameterOutOfOneThatWaits) {
    start(R"(, {"name": "up", "type": "gain"}, {"name": "down", "type": "gain"}, {"name": "n", "type": "gain"},
             {"name": "one", "type": "constant", "parameters": {"value": 0.5}}, {"name": "third", "type": "output"},
             {"name": "p", "type": "constant"}, {"name": "q", "type": "output", "settings": {"first_channel": 2}} )",
          R"(, {"from": "one", "to": "up"}, {"from": "up", "to": "down"}, {"from": "down", "to": "third"},
               {"from": "p", "to": "q"} )");
    offline.edit({Disconnect{"dc", "out"}});
    offline.settle();
    offline.render_block();
    const std::size_t begin = offline.recorded[0].size();
    offline.edit({Disconnect{"p", "q"}});  // a round
    offline.render_block();
    commit({SetParameter{"up", "gain_db", 20.0F, 0.0F}, SetParameter{"down", "gain_db", -20.0F, 0.0F},
            Connect{"dc", "n", {}}});
    commit(joined(a_second_of_look_ahead(), {SetParameter{"down", "gain_db", -18.0F, 0.0F}}));
    offline.settle();
    expect_bounds_kept();
    const auto [low, high] = std::ranges::minmax(std::span{offline.recorded[0]}.subspan(begin));
    EXPECT_GT(low, 0.4999F);
    EXPECT_LT(high, 0.5F * 1.2590F);  // +2 dB
}

TEST_F(EngineWaiting, ANodeIsNotReplacedBeforeAParameterThatWaitsForIt) {
    start(R"(, {"name": "c", "type": "compressor"}, {"name": "n", "type": "gain"} )");
    start_round();
    const std::uint64_t first = commit(
        {SetParameter{"c", "threshold_db", -30.0F, {}}, Connect{"dc", "n", {}}, Disconnect{"other_dc", "other"}});
    const std::uint64_t second = commit({ChangeSettings{"c", {{"channels", 2.0}}}});
    offline.settle();
    EXPECT_GE(heard(second), heard(first));
}

TEST_F(EngineWaiting, ParametersOfUnitsThatStartTogetherAreLimitedInEachBlock) {
    std::string nodes;
    for (int i = 0; i < 64; ++i)
        nodes += R"(, {"name": "m)" + std::to_string(i) + R"(", "type": "mixer", "settings": {"inputs": 64}})";
    start(nodes);
    start_round();
    std::vector<std::uint64_t> revisions;
    for (int part = 0; part < 3; ++part) {
        std::vector<Edit> edits{Connect{"dc", "m" + std::to_string(part) + ":in_1", {}}};
        for (int i = 0; i < 1800; ++i) {
            const int place = part * 1800 / 2 + i;  // half of them are also in the next transaction
            edits.emplace_back(SetParameter{"m" + std::to_string(place / 64 % 64),
                                            "gain_" + std::to_string(place % 64 + 1) + "_db",
                                            -6.0F - static_cast<float>(part),
                                            {}});
        }
        revisions.push_back(commit(edits));
    }
    offline.settle();
    expect_bounds_kept();
    std::set<std::uint64_t> frames;
    for (const std::uint64_t revision : revisions) frames.insert(heard(revision));
    EXPECT_EQ(frames.size(), 3U) << "2,048 changes may act in a block";
}

TEST_F(EngineWaiting, NodesThatWaitToLeaveHoldBackNoOther) {
    std::string nodes = R"(, {"name": "sum", "type": "output"} )";
    std::string connections;
    std::vector<Edit> removal = a_second_of_look_ahead();
    for (int i = 0; i < 1200; ++i) {
        const std::string name = "n" + std::to_string(i);
        nodes += R"(, {"name": ")" + name + R"(", "type": "constant", "parameters": {"value": 0}})";
        connections += R"(, {"from": ")" + name + R"(", "to": "sum"})";
        removal.emplace_back(RemoveNode{name});
    }
    start(nodes, connections);
    commit(removal);
    offline.render_blocks(2);
    const auto ticket = offline.apply({Disconnect{"dc", "out"}});
    ASSERT_TRUE(ticket) << ticket.error().sentence;
    EXPECT_LE(ticket->starts_within_ms, 100U);
    offline.settle();
}

TEST_F(EngineWaiting, TheNumberOfTransactionsThatWaitIsLimited) {
    std::string nodes;
    for (int i = 0; i < 100; ++i) nodes += R"(, {"name": "n)" + std::to_string(i) + R"(", "type": "gain"})";
    start(nodes);
    start_round();
    std::uint32_t refused = 0;
    for (int i = 0; i < 100; ++i) {
        const auto ticket = offline.apply({Connect{"dc", "n" + std::to_string(i), {}}});
        if (ticket) continue;
        ++refused;
        EXPECT_EQ(ticket.error().code, ErrorCode::resource_exhausted);
        EXPECT_FALSE(ticket.error().edit_index);
    }
    EXPECT_EQ(refused, 36U);
    offline.settle();
    EXPECT_TRUE(offline.apply({Connect{"dc", "n99", {}}}));
    offline.settle();
}

TEST_F(EngineWaiting, ARefusedTransactionRenamesNothing) {
    // The sum depends on the order of the names: (1 + 2^-25) - 1 is 0, and (1 - 1) + 2^-25 is not.
    start(R"(, {"name": "a", "type": "constant", "parameters": {"value": 1}},
             {"name": "b", "type": "constant", "parameters": {"value": 2.98023223876953125e-08}},
             {"name": "c", "type": "constant", "parameters": {"value": -1}}, {"name": "d", "type": "gain"} )");
    offline.edit({Disconnect{"dc", "out"}, Connect{"a", "out", {}}, Connect{"b", "out", {}}, Connect{"c", "out", {}}});
    offline.settle();
    ASSERT_EQ(offline.recorded[0].back(), 0.0F);
    commit(a_second_of_look_ahead());
    offline.render_blocks(700);
    std::vector<Edit> late{RenameNode{"b", "z"}};
    late.emplace_back(ChangeSettings{"comp0", {{"look_ahead_ms", 49.0}}});
    ASSERT_FALSE(offline.apply(late)) << "it would delay the first transaction";
    commit({RenameNode{"d", "e"}});
    offline.settle();
    EXPECT_EQ(offline.recorded[0].back(), 0.0F);
}

/// A round may start while a signal that it replaces still glides. What undoes it in the same block and replaces that
/// signal must wait for the glide, or do without it.
TEST_F(EngineWaiting, AGlideThatIsNotOverIsPartOfThePromise) {
    start(R"(, {"name": "g", "type": "gain"} )");
    offline.edit({Disconnect{"dc", "out"}, Connect{"dc", "g", {}}, Connect{"g", "out", {}}});
    offline.settle();
    for (std::uint32_t blocks = 10; blocks < 40; ++blocks) {
        commit({AddNode{"limiter", "lim", {{"look_ahead_ms", 8.0}}, {}}, Disconnect{"g", "out"},
                Connect{"g", "lim", {}}, Connect{"lim", "out", {}}});
        offline.render_blocks(10);
        commit({ChangeSettings{"lim", {{"look_ahead_ms", 20.0}}}});
        offline.render_blocks(blocks);
        commit({RemoveNode{"lim"}, Connect{"g", "out", {}}});
        commit({RemoveNode{"g"}, AddNode{"gain", "g", {}, {}}, Connect{"dc", "g", {}}, Connect{"g", "out", {}}});
        offline.settle();
        expect_bounds_kept();
    }
}

TEST_F(EngineWaiting, ANodeThatItsTransactionRenamesCanBeAddedAfterARefusal) {
    std::string nodes;
    for (int i = 0; i < 100; ++i) nodes += R"(, {"name": "n)" + std::to_string(i) + R"(", "type": "gain"})";
    start(nodes);
    start_round();
    for (int i = 0; i < 99; ++i) static_cast<void>(offline.apply({Connect{"dc", "n" + std::to_string(i), {}}}));
    auto prepared =
        offline.engine.prepare({{AddNode{"gain", "x", {}, {}}, RenameNode{"x", "y"}, Connect{"y", "n99", {}}}});
    ASSERT_TRUE(prepared);
    EXPECT_EQ(offline.engine.commit(*prepared).error().code, ErrorCode::resource_exhausted);
    offline.settle();
    const auto ticket = offline.engine.commit(*prepared);
    ASSERT_TRUE(ticket) << ticket.error().sentence;
    EXPECT_NE(offline.engine.graph().find("y"), nullptr);
}

}  // namespace
}  // namespace rta::test::engine_waiting_test
