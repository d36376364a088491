// SPDX-License-Identifier: MIT
// When a transaction is answered, and what clients are told about the start of its change.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "script.h"

namespace rta::api::test {
namespace {

using namespace std::chrono_literals;

/// s -> o, whose disconnection starts a round: the connection in the next transaction waits for the end of the round.
void start_round(Script& script) {
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { document: "{\"nodes\": [{\"name\": \"s\", \"type\": \"constant\"}, {\"name\": \"o\", \"type\": \"output\"}], \"connections\": [{\"from\": \"s\", \"to\": \"o\"}]}" }
        a< response { id: 1 apply_transaction { revision: 1 } }
        block
        a> id: 2 apply_transaction { edits { edits { disconnect { from: "s" to: "o" } } } }
        a< response { id: 2 apply_transaction { revision: 2 } }
        block
    )");
}

TEST(TransactionStart, WithoutABlockTheWaitEndsAfter500MsWhateverTheBound) {
    Script script;
    start_round(script);
    script.play(R"(
        hello b
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        a> id: 3 timeout_ms: 60000 apply_transaction { wait_for_start: true edits { edits { connect { from: "s" to: "o" } } } }
        b< event { number: 5 graph_changed { revision: 3 } }
        tick 499
        a-
        tick 1
        a< response { id: 3 status { code: DEADLINE_EXCEEDED message: "committed as revision 3, but not heard yet: no block of audio was rendered for 500 ms" } apply_transaction { revision: 3 } }
        a> id: 4 get_graph {}
        a< response { id: 4 get_graph { revision: 3 } }
        tick 100000
        b-
    )");
    for (int i = 0; i < 9; ++i) script.block();
    script.play(R"(
        b< event { number: 6 transaction_heard { revision: 3 } }
        a-
        b-
    )");
}

TEST(TransactionStart, WhileBlocksAreRenderedTheWaitIsNotLimitedTo500Ms) {
    Script script;
    const EngineReset reset = script.engine.start_reset();  // holds back committed changes
    script.play("hello a\na> id: 1 apply_transaction { wait_for_start: true edits {} }");
    for (int i = 0; i < 9; ++i) script.play("tick 100\nblock\na-");
    script.play(R"(
        tick 99
        a-
        tick 1
        a< response { id: 1 status { code: DEADLINE_EXCEEDED message: "committed as revision 1, but not heard yet: it did not start within 1000 ms" } apply_transaction { revision: 1 } }
    )");
}

TEST(TransactionStart, TheTimeoutOfTheRequestLimitsTheWait) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 timeout_ms: 200 apply_transaction { wait_for_start: true edits {} }
        tick 199
        a-
        tick 1
    )");
    const auto late = script.receive('a');
    ASSERT_TRUE(late);
    EXPECT_EQ(late->response().status().code(), v1::DEADLINE_EXCEEDED);
    EXPECT_EQ(sentence(late),
              "committed as revision 1, but not heard yet: it did not start within 200 ms (timeout_ms)");
    EXPECT_EQ(late->response().apply_transaction().revision(), 1U);
    EXPECT_FALSE(late->response().apply_transaction().has_frame());
    script.play(R"(
        a> id: 2 timeout_ms: 200 apply_transaction { wait_for_start: true edits {} }
        block
        a< response { id: 2 apply_transaction { revision: 2 frame: 0 } }
    )");
}

TEST(TransactionStart, ATimeoutThatIsShorterThanTheBoundIsSaid) {
    Script script;
    start_round(script);
    script.play(R"(
        a> id: 3 timeout_ms: 20 apply_transaction { wait_for_start: true edits { edits { connect { from: "s" to: "o" } } } }
        tick 20
    )");
    const auto late = script.receive('a');
    ASSERT_TRUE(late);
    const std::uint32_t bound = late->response().apply_transaction().starts_within_ms();
    ASSERT_GT(bound, 20U);
    EXPECT_EQ(sentence(late),
              "committed as revision 3, but not heard yet: it did not start within 20 ms (timeout_ms); "
              "it starts at most " +
                  std::to_string(bound) + " ms after the commit");
}

TEST(TransactionStart, TheTimeoutIncludesTheWaitForRoom) {
    Script script;
    script.play("hello a\nhello z");
    for (int i = 0; i < 16; ++i) {
        script.play("z> apply_transaction { edits { edits { add_node { name: \"n" + std::to_string(i) +
                    "\" type: \"gain\" } } } }");
    }
    script.play(R"(
        a> id: 1 timeout_ms: 200 apply_transaction { wait_for_start: true edits {} }
        tick 150
        a-
    )");
    script.render_block();
    script.dispatcher.tick();  // commits
    script.play(R"(
        tick 49
        a-
        tick 1
        a< response { id: 1 status { code: DEADLINE_EXCEEDED } apply_transaction { revision: 17 } }
    )");
}

TEST(TransactionStart, AReadBehindAWaitingTransactionSeesIt) {
    Script script;
    script.play(R"(
        hello a
        hello b
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
        a> id: 2 get_graph {}
        a-
        b> id: 1 get_graph {}
        b< response { id: 1 get_graph { revision: 1 graph { nodes { name: "osc" } } } }
        block
        a< response { id: 1 apply_transaction { frame: 0 } }
        a< response { id: 2 get_graph { revision: 1 } }
    )");
}

// ---------------------------------------------------------------------------------------------------------------------
// Revisions that start together

using Heard = std::pair<std::uint64_t, std::uint64_t>;  ///< revision and frame

/// Renders blocks until nothing is outstanding. Returns the TransactionHeard events received by client `b`.
std::vector<Heard> play_on(Script& script) {
    std::vector<Heard> heard;
    for (int i = 0; i < 100; ++i) {
        script.block();
        while (const auto message = script.receive('b')) {
            const v1::Event& event = message->event();
            if (event.has_transaction_heard())
                heard.emplace_back(event.transaction_heard().revision(), event.transaction_heard().frame());
        }
    }
    return heard;
}

/// Expects the response to a transaction of this revision, which took effect at `frame`.
void expect_heard(Script& script, char client, const Heard& heard) {
    SCOPED_TRACE(std::string{"client "} + client);
    const auto answer = script.receive(client);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->response().status().code(), v1::OK) << sentence(answer);
    EXPECT_EQ(answer->response().apply_transaction().revision(), heard.first);
    EXPECT_EQ(answer->response().apply_transaction().frame(), heard.second);
}

TEST(TransactionStart, MergedRevisionsAreHeardTogetherInTheirOrder) {
    Script script;
    script.play(R"(
        hello a
        hello b
        hello c
        hello d
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        a> id: 1 apply_transaction { document: "{\"nodes\": [{\"name\": \"s\", \"type\": \"constant\"}, {\"name\": \"t\", \"type\": \"constant\"}, {\"name\": \"u\", \"type\": \"constant\"}, {\"name\": \"o1\", \"type\": \"output\"}, {\"name\": \"o2\", \"type\": \"output\"}, {\"name\": \"o3\", \"type\": \"output\"}], \"connections\": [{\"from\": \"s\", \"to\": \"o1\"}, {\"from\": \"t\", \"to\": \"o2\"}, {\"from\": \"u\", \"to\": \"o3\"}]}" }
        a< response { id: 1 apply_transaction { revision: 1 } }
        block
        a> id: 2 apply_transaction { edits { edits { disconnect { from: "u" to: "o3" } } } }
        a< response { id: 2 apply_transaction { revision: 2 } }
        block
        a> id: 3 apply_transaction { wait_for_start: true edits { edits { disconnect { from: "s" to: "o1" } } } }
        c> id: 4 apply_transaction { wait_for_start: true edits { edits { disconnect { from: "t" to: "o2" } } } }
        d> id: 5 apply_transaction { wait_for_start: true edits { edits { connect { from: "s" to: "o2" } } edits { connect { from: "t" to: "o1" } } } }
    )");
    const std::vector<Heard> heard = play_on(script);
    ASSERT_EQ(heard.size(), 5U);
    const std::uint64_t frame = heard[2].second;
    EXPECT_EQ((std::vector<Heard>{heard.begin() + 2, heard.end()}),
              (std::vector<Heard>{{3, frame}, {4, frame}, {5, frame}}));
    expect_heard(script, 'a', {3, frame});
    expect_heard(script, 'c', {4, frame});
    expect_heard(script, 'd', {5, frame});
    script.play("a-\nc-\nd-");
}

TEST(TransactionStart, WhatIsCommittedDuringAPanicIsHeardWithIt) {
    Script script;
    script.workers.held = false;
    script.play(R"(
        hello a
        hello b
        hello c
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        block
        c> id: 1 panic {}
        block
        a> id: 1 apply_transaction { wait_for_start: true edits {} }
        b> id: 2 apply_transaction { wait_for_start: true edits {} }
        block
        a-
    )");
    const std::vector<Heard> heard = play_on(script);
    ASSERT_EQ(heard.size(), 2U);
    const auto panicked = script.receive('c');
    ASSERT_TRUE(panicked);
    const std::uint64_t frame = panicked->response().panic().frame();
    EXPECT_EQ(heard, (std::vector<Heard>{{1, frame}, {2, frame}}));
    expect_heard(script, 'a', {1, frame});
}

// ---------------------------------------------------------------------------------------------------------------------
// Many requests, and clients that disconnect

TEST(TransactionStart, TheEngineIsAskedOftenOnlyForWhatTheNextBlockDoes) {
    Script script;
    start_round(script);
    EXPECT_GT(script.dispatcher.interval(), 150us);
    script.play(
        "a> id: 3 apply_transaction { wait_for_start: true edits { edits { connect { from: \"s\" to: \"o\" } } } }");
    EXPECT_GT(script.dispatcher.interval(), 150us) << "it waits for the end of the round";
    EXPECT_LT(script.dispatcher.interval(), 10ms);
    for (int i = 0; i < 12; ++i) script.block();
    script.play("a< response { id: 3 apply_transaction { revision: 3 } }");
    script.play("a> id: 4 apply_transaction { wait_for_start: true edits {} }");
    EXPECT_LE(script.dispatcher.interval(), 150us) << "it starts with the next block";
    script.play("tick 99");
    EXPECT_LE(script.dispatcher.interval(), 150us);
    script.play("tick 1");
    EXPECT_GT(script.dispatcher.interval(), 150us) << "no block is rendered";
    script.play("block\na< response { id: 4 apply_transaction { revision: 4 } }");
    EXPECT_GT(script.dispatcher.interval(), 150us);
}

TEST(TransactionStart, AClientThatHasLeftIsNotWaitedFor) {
    Script script;
    script.play(R"(
        hello a
        hello b
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
    )");
    EngineReset reset = script.engine.start_reset();
    for (int i = 1; i <= 100; ++i) {
        script.play("hello c");
        for (int id = 1; id <= 10; ++id)
            script.play("c> id: 1 timeout_ms: 60000 apply_transaction { wait_for_start: true edits {} }");
        script.disconnect('c');
        script.block();
        EXPECT_EQ(script.dispatcher.services().commands.awaited_starts(), 0U);
    }
    EXPECT_EQ(script.engine.revision(), 1000U);
    EXPECT_GT(script.dispatcher.interval(), 150us);
    while (!reset.try_complete()) script.block();
    for (int i = 0; i < 5; ++i) script.block();
    std::uint64_t revision = 0;
    while (const auto message = script.receive('b')) {
        if (!message->event().has_transaction_heard()) continue;
        EXPECT_EQ(message->event().transaction_heard().revision(), ++revision);
    }
    EXPECT_EQ(revision, 1000U) << "others are told nevertheless";
}

TEST(TransactionStart, TheNumberOfWaitsOfAClientIsLimited) {
    Script script;
    script.play("hello a\nhello b");
    EngineReset reset = script.engine.start_reset();
    for (std::size_t i = 0; i < 1000; ++i) {
        script.play("a> id: 1 timeout_ms: 60000 apply_transaction { wait_for_start: true edits {} }");
        if (i % 100 == 0) script.block();
    }
    EXPECT_EQ(script.engine.revision(), Client::kMaximumWaits);
    script.play("b> id: 1 apply_transaction { edits {} }\nb< response { id: 1 apply_transaction { revision: 129 } }");
    while (!reset.try_complete()) script.block();
    for (int i = 0; i < 1000; ++i) {
        auto answer = script.receive('a');
        for (int blocks = 0; !answer && blocks < 10; ++blocks) {
            script.block();
            answer = script.receive('a');
        }
        ASSERT_TRUE(answer);
        ASSERT_EQ(answer->response().status().code(), v1::OK) << sentence(answer);
    }
    EXPECT_EQ(script.engine.revision(), 1001U);
}

TEST(TransactionStart, ManyThatStartTogetherAreAnsweredInSeveralTicks) {
    Script script;
    EngineReset reset = script.engine.start_reset();
    for (char client = 'a'; client < 'k'; ++client) {
        script.play(std::string{"hello "} + client);
        for (std::size_t i = 0; i < Client::kMaximumWaits; ++i)
            script.send(client, request("timeout_ms: 1000 apply_transaction { wait_for_start: true edits {} }"));
        script.block();
    }
    while (!reset.try_complete()) script.block();
    std::size_t left = script.dispatcher.services().commands.awaited_starts();
    ASSERT_EQ(left, 10 * Client::kMaximumWaits);
    script.render_block();
    while (left > 0) {
        script.tick(400ms);
        const std::size_t now = script.dispatcher.services().commands.awaited_starts();
        EXPECT_LE(left - now, PendingCommands::kStartsPerPoll);
        EXPECT_LT(now, left);
        left = now;
        if (left > 0) {
            EXPECT_LE(script.dispatcher.interval(), 150us);
        }
    }
    for (char client = 'a'; client < 'k'; ++client) {
        for (std::uint64_t i = 1; i <= Client::kMaximumWaits; ++i)
            expect_heard(script, client, {static_cast<std::uint64_t>(client - 'a') * Client::kMaximumWaits + i, 640});
    }
}

/// Returns the CPU time of one tick: the minimum of many.
double tick_ns(Script& script) {
    const auto used = [] {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
    };
    double shortest = 1e9;
    for (int i = 0; i < 300; ++i) {
        const double begin = used();
        for (int tick = 0; tick < 10; ++tick) script.dispatcher.tick();
        shortest = std::min(shortest, (used() - begin) / 10);
    }
    return shortest;
}

TEST(TransactionStart, ATickDoesNotTakeLongerIfTenThousandRequestsWait) {
    Script script;
    const EngineReset reset = script.engine.start_reset();
    double few_ns = 0;
    for (char client = '!'; client <= '~'; ++client) {
        if (client == '"' || client == '\\') continue;
        script.play(std::string{"hello "} + client);
        for (int i = 0; i < 106; ++i)
            script.send(client, request("timeout_ms: 60000 apply_transaction { wait_for_start: true edits {} }"));
        script.block();
        if (client == '!') few_ns = tick_ns(script);
    }
    const double many_ns = tick_ns(script);
    EXPECT_GT(script.engine.revision(), 9'500U);
    EXPECT_LT(many_ns, 10 * few_ns) << few_ns << " ns with 106 requests";
}

}  // namespace
}  // namespace rta::api::test
