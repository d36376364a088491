// SPDX-License-Identifier: MIT
// Plans and parameters in the rings to and from the audio thread: order, room, accounting.
#include <gtest/gtest.h>

#include "support/offline_engine.h"

namespace rta::test::engine_exchange_test {
namespace {

constexpr const char* kChain = R"({
  "nodes": [ {"name": "one", "type": "constant", "parameters": {"value": 1}}, {"name": "out", "type": "output"} ],
  "connections": [ {"from": "one", "to": "out"} ] })";

TEST(EngineExchange, FullQueueRefusesAndChangesNothing) {
    OfflineEngine offline;
    offline.load(kChain);
    offline.polls = false;
    Expected<Ticket> ticket;
    int commits = 0;
    do {
        ticket = offline.apply({Connect{"one", "out", commits % 2 == 0 ? -6.0F : 0.0F}});  // needs a plan
        ++commits;
        ASSERT_LT(commits, 100);
    } while (ticket);
    EXPECT_EQ(ticket.error().code, ErrorCode::resource_exhausted);
    const std::uint64_t revision = offline.engine.revision();
    EXPECT_EQ(revision, static_cast<std::uint64_t>(commits));

    offline.polls = true;
    offline.render_blocks(40);
    EXPECT_EQ(offline.engine.revision(), revision);
    offline.edit({SetParameter{"one", "value", 0.25F, {}}});
}

TEST(EngineExchange, AFullRingOfParametersIsRefusedToo) {
    OfflineEngine offline;
    offline.load(kChain);
    const SetParameter change{"one", "value", 0.5F, {}};
    int sent = 0;
    while (offline.engine.set_parameters({&change, 1})) ASSERT_LT(++sent, 5000);
    EXPECT_EQ(sent, 1023);  // 1,024 unanswered commands, including the plan
    offline.settle();
    EXPECT_TRUE(offline.engine.set_parameters({&change, 1}));
}

TEST(EngineExchange, NoBlockHasMoreThanTwoThousandChangesToWalk) {
    OfflineEngine offline;
    offline.load(kChain);
    offline.settle();
    const std::vector<SetParameter> changes(64, SetParameter{"one", "value", 0.5F, {}});
    int sent = 0;
    while (offline.engine.set_parameters(changes)) ASSERT_LT(++sent, 5000);
    EXPECT_EQ(sent * 64, 2048);
    EXPECT_EQ(offline.engine.set_parameters(changes).error().code, ErrorCode::resource_exhausted);
    offline.settle();
    EXPECT_TRUE(offline.engine.set_parameters(changes)) << "what was handed back makes room";
}

TEST(EngineExchange, ALargerRequestIsRefusedWithTheLimitThatFollowsFromTheBlock) {
    struct Case {
        std::uint32_t block_size;
        double sample_rate_hz;
        std::size_t maximum;
        const char* sentence;
    };
    for (const Case& c :
         {Case{64, 48'000.0, 2'048,
               "the request changes 2049 parameters: expected at most 2048 in one block of 64 frames at "
               "48000 Hz"},
          Case{16, 192'000.0, 128,
               "the request changes 129 parameters: expected at most 128 in one block of 16 frames at "
               "192000 Hz"}}) {
        OfflineEngine offline{{.sample_rate_hz = c.sample_rate_hz, .block_size = c.block_size}};
        offline.load(kChain);
        offline.settle();
        EXPECT_EQ(offline.engine.maximum_changes(), c.maximum);
        std::vector<SetParameter> changes(c.maximum + 1, SetParameter{"one", "value", 0.5F, {}});
        const auto refused = offline.engine.set_parameters(changes);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument) << "a retry would not help";
        EXPECT_EQ(refused.error().sentence, c.sentence);
        const auto transaction = offline.apply(std::vector<Edit>(changes.begin(), changes.end()));
        ASSERT_FALSE(transaction);
        EXPECT_EQ(transaction.error().code, ErrorCode::invalid_argument);
        EXPECT_EQ(transaction.error().sentence, c.sentence);
        EXPECT_EQ(offline.engine.graph().find("one")->parameters[0], 1.0F) << "nothing has changed";

        changes.pop_back();
        EXPECT_TRUE(offline.engine.set_parameters(changes));
        EXPECT_EQ(offline.engine.set_parameters({changes.data(), 1}).error().code, ErrorCode::resource_exhausted);
        offline.settle();

        std::vector<Edit> different;  // different parameters: of equal ones, only the last would count
        for (std::size_t i = 0; i < c.maximum; ++i) {
            const std::string mixer = "m" + std::to_string(i / 64);
            if (i % 64 == 0) offline.edit({AddNode{"mixer", mixer, {{"inputs", 64.0}}, {}}});
            different.emplace_back(SetParameter{mixer, "gain_" + std::to_string(i % 64 + 1) + "_db", -6.0F, {}});
            offline.render_block();
        }
        offline.settle();
        EXPECT_TRUE(offline.apply(std::move(different)));
        EXPECT_EQ(offline.engine.set_parameters({changes.data(), 1}).error().code, ErrorCode::resource_exhausted)
            << "the targets of plans count, too";
        offline.settle();
        EXPECT_TRUE(offline.engine.set_parameters(changes));
    }
}

TEST(EngineExchange, ParametersOfNewNodesAndDocumentsAreNotLimited) {
    OfflineEngine offline{{.sample_rate_hz = 192'000.0, .block_size = 16}};
    constexpr int kNodes = 200;
    std::vector<Edit> edits;
    for (int i = 0; i < kNodes; ++i) {
        const std::string name = "c" + std::to_string(i);
        edits.emplace_back(AddNode{"constant", name, {}, {}});
        edits.emplace_back(SetParameter{name, "value", 0.25F, {}});
    }
    offline.edit(std::move(edits));
    offline.settle();
    std::string text = R"({"nodes": [)";
    for (int i = 0; i < kNodes; ++i) {
        text += std::string{i == 0 ? "" : ", "} + R"({"name": "c)" + std::to_string(i) +
                R"(", "type": "constant", "parameters": {"value": 0.5}})";
    }
    offline.load(text + "]}");
    offline.settle();
    EXPECT_EQ(offline.engine.graph().find("c199")->parameters[0], 0.5F);
}

TEST(EngineExchange, SerialsAreAppliedInOrderAndToldWithTheirFrame) {
    OfflineEngine offline;
    offline.load(kChain);
    offline.render_block();
    const auto first = offline.apply({SetParameter{"one", "value", 0.5F, {}}});
    const SetParameter change{"one", "value", 0.25F, {}};
    const auto second = offline.engine.set_parameters({&change, 1});
    ASSERT_TRUE(first && second);
    EXPECT_EQ(second->serial, first->serial + 1);
    offline.render_block();  // the plan contains a target of the same parameter
    EXPECT_EQ(offline.applications.back(), std::pair(second->serial, std::uint64_t{64}));
    offline.render_blocks(30);
    EXPECT_EQ(offline.recorded[0].back(), 0.25F);
}

TEST(EngineExchange, SeveralPlansInOneBlockLoseNoParameter) {
    OfflineEngine offline;
    offline.load(kChain);
    offline.render_block();
    offline.edit({SetParameter{"one", "value", 0.5F, {}}});
    offline.edit({AddNode{"gain", "idle", {}, {}}});
    offline.edit({SetParameter{"out", "gain_db", -120.0F, {}}});
    offline.edit({RemoveNode{"idle"}});
    offline.edit({SetParameter{"out", "gain_db", 0.0F, {}}});
    offline.settle();
    offline.render_blocks(30);
    EXPECT_EQ(offline.recorded[0].back(), 0.5F);
}

TEST(EngineExchange, ThousandsOfParametersBeginInOneBlock) {
    OfflineEngine offline;
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}};
    constexpr int kNodes = 2048;
    for (int i = 0; i < kNodes; ++i) {
        const std::string name = "c" + std::to_string(i);
        edits.emplace_back(AddNode{"constant", name, {}, {}});
        edits.emplace_back(Connect{name, "out", {}});
    }
    offline.edit(std::move(edits));
    offline.settle();
    std::vector<SetParameter> changes;
    for (int i = 0; i < kNodes; ++i) changes.push_back({"c" + std::to_string(i), "value", 1.0F / 1024.0F, 0.0F});
    const std::uint64_t revision = offline.engine.revision();
    const auto ticket = offline.engine.set_parameters(changes);
    ASSERT_TRUE(ticket) << ticket.error().sentence;
    const std::size_t begin = offline.recorded[0].size();
    offline.render_blocks(2);
    EXPECT_EQ(offline.applications.back().first, ticket->serial);
    for (std::size_t i = begin; i < offline.recorded[0].size(); ++i) {
        ASSERT_EQ(offline.recorded[0][i], static_cast<float>(kNodes) / 1024.0F);  // exact: powers of two
    }
    EXPECT_EQ(offline.engine.revision(), revision) << "parameters take no revision";
}

TEST(EngineExchange, EveryPlanIsHandedBackAndFreed) {
    OfflineEngine offline;
    offline.load(kChain);
    for (int i = 0; i < 200; ++i) {
        offline.edit({AddNode{"gain", "extra", {}, {}}, Disconnect{"one", "out"}, Connect{"one", "extra", {}},
                      Connect{"extra", "out", {}}});
        offline.render_blocks(static_cast<std::uint32_t>(i % 5));
        offline.poll();
        offline.render_block();
        offline.edit({RemoveNode{"extra"}, Connect{"one", "out", {}}});
        offline.render_blocks(2);
        if (i % 3 == 0) offline.settle();
    }
    offline.settle();
    const EngineStatistics statistics = offline.engine.statistics();
    EXPECT_GE(statistics.plans_made, 200U);
    EXPECT_EQ(statistics.plans_alive, 1U);
    EXPECT_EQ(statistics.plans_made, statistics.plans_freed + statistics.plans_alive);
}

TEST(EngineExchange, TheGateLetsOnlyTheNewestGenerationIn) {
    OfflineEngine offline;
    const auto generation = offline.engine.gate().start_generation();
    EXPECT_FALSE(offline.engine.gate().try_claim(generation - 1));
    const auto claim = offline.engine.gate().try_claim(generation);
    EXPECT_TRUE(claim);
    EXPECT_FALSE(offline.engine.gate().try_claim(generation)) << "one audio thread at a time";
}

}  // namespace
}  // namespace rta::test::engine_exchange_test
