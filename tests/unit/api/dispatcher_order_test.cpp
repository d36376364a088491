// SPDX-License-Identifier: MIT
// Order, deadlines, and lack of room.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "engine/plan_exchange.h"
#include "script.h"

namespace rta::api::test {
namespace {

v1::Request empty_transaction(std::uint64_t id) {
    v1::Request message = request("apply_transaction { wait_for_start: true edits {} }");
    message.set_id(id);
    return message;
}

/// Client `z` takes all plans of the engine; none of them is returned before a block is rendered.
void fill_with_plans(Script& script) {
    script.play("hello z");
    for (std::uint64_t i = script.engine.statistics().plans_alive; i < PlanExchange::kMaximumPlans; ++i) {
        v1::Request message = request("apply_transaction { edits { edits { add_node { type: \"gain\" } } } }");
        message.set_id(i);
        message.mutable_apply_transaction()->mutable_edits()->mutable_edits(0)->mutable_add_node()->set_name(
            "filler" + std::to_string(i));
        script.send('z', message);
    }
    ASSERT_EQ(script.engine.statistics().plans_alive, PlanExchange::kMaximumPlans);
}

TEST(DispatcherOrder, ATransactionThatNoBlockAppliesIsAnsweredLateAndHeardLater) {
    Script script;
    script.play(R"(
        hello a
        hello b
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
        b< event { number: 1 graph_changed { revision: 1 } }
        tick 499
        a-
        tick 1
        a< response { id: 1 status { code: DEADLINE_EXCEEDED } apply_transaction { revision: 1 } }
        b-
        tick 100000
        b-
        block
        b< event { number: 2 transaction_heard { revision: 1 } }
        a-
    )");
}

TEST(DispatcherOrder, TheLateAnswerHasNoFrame) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
        a> id: 2 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 220 } }
        tick 500
    )");
    const auto transaction = script.receive('a');
    ASSERT_TRUE(transaction);
    EXPECT_EQ(transaction->response().status().code(), v1::DEADLINE_EXCEEDED);
    EXPECT_EQ(transaction->response().apply_transaction().revision(), 1U);
    EXPECT_FALSE(transaction->response().apply_transaction().has_frame());
    const auto parameters = script.receive('a');
    ASSERT_TRUE(parameters);
    EXPECT_EQ(parameters->response().status().code(), v1::DEADLINE_EXCEEDED);
    EXPECT_TRUE(parameters->response().has_set_parameters());
    EXPECT_FALSE(parameters->response().set_parameters().has_frame());
}

TEST(DispatcherOrder, TransactionsCommitInTheOrderOfTheirRequestsHoweverLongEachIsPrepared) {
    Script script;
    script.play("hello a");
    script.workers.held = true;
    script.play(R"(
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
        a> id: 2 apply_transaction { wait_for_start: true edits { edits { add_node { name: "vol" type: "gain" } } } }
        a> id: 3 set_parameters { changes { node: "vol" parameter: "gain_db" value: -6 } }
        a> id: 4 get_graph {}
    )");
    ASSERT_EQ(script.workers.jobs.size(), 2U) << "both are prepared together";
    script.workers.finish(1);
    EXPECT_EQ(script.engine.revision(), 0U) << "the second waits for the first";
    script.workers.finish(0);
    EXPECT_EQ(script.engine.revision(), 2U) << "committed without waiting for a block";
    script.workers.held = false;
    script.play(R"(
        a-
        block
        a< response { id: 1 apply_transaction { revision: 1 frame: 0 } }
        a< response { id: 2 apply_transaction { revision: 2 frame: 0 } }
        a< response { id: 3 set_parameters { frame: 0 } }
        a< response { id: 4 get_graph { revision: 2 } }
    )");
}

TEST(DispatcherOrder, ClientsDoNotWaitForEachOthersPreparation) {
    Script script;
    script.play("hello a\nhello b");
    script.workers.held = true;
    script.play(R"(
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "slow" type: "sine" } } } }
        b> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "fast" type: "sine" } } } }
    )");
    script.workers.finish(1);
    script.play(R"(
        block
        b< response { id: 1 apply_transaction { revision: 1 } }
        a-
    )");
    script.workers.finish(0);
    script.play("block\n a< response { id: 1 apply_transaction { revision: 2 } }");
}

TEST(DispatcherOrder, AClosedClientCommitsNothingMore) {
    Script script;
    script.play("hello a");
    script.workers.held = true;
    script.play(
        "a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: \"osc\" type: \"sine\" } } } }");
    script.disconnect('a');
    script.workers.finish(0);
    EXPECT_EQ(script.engine.revision(), 0U);
}

TEST(DispatcherOrder, ARefusalWaitsForTheAnswersBeforeIt) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits {} }
        a> id: 2
        a> id: 3 apply_transaction { wait_for_start: true edits { edits {} } }
        a-
        block
        a< response { id: 1 apply_transaction { revision: 1 } }
        a< response { id: 2 status { code: UNIMPLEMENTED } }
        a< response { id: 3 status { code: INVALID_ARGUMENT edit_index: 0 } }
    )");
}

TEST(DispatcherOrder, AReadSeesWhatWasAskedBeforeItAndNothingAskedAfterIt) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "one" type: "sine" } } } }
        a> id: 2 get_graph {}
        a> id: 3 apply_transaction { wait_for_start: true edits { edits { add_node { name: "two" type: "sine" } } } }
        a> id: 4 get_graph {}
        block
        a< response { id: 1 apply_transaction { revision: 1 } }
        a< response { id: 2 get_graph { revision: 1 graph { nodes { name: "one" } } } }
        a-
        block
        a< response { id: 3 apply_transaction { revision: 2 } }
        a< response { id: 4 get_graph { revision: 2 } }
    )");
}

TEST(DispatcherOrder, AThousandPipelinedRequestsAreAnsweredInOrder) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
        block
        a< response { id: 1 apply_transaction {} }
    )");
    for (std::uint64_t id = 0; id < 1000; ++id) {
        v1::Request message =
            id % 10 == 0
                ? empty_transaction(id)
                : request(R"(set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 300 } })");
        message.set_id(id);
        script.send('a', message);
    }
    std::uint64_t next = 0;
    for (int blocks = 0; next < 1000; ++blocks) {
        ASSERT_LT(blocks, 100);
        script.block();
        while (const auto answer = script.receive('a')) {
            EXPECT_EQ(answer->response().status().code(), v1::OK) << answer->ShortDebugString();
            ASSERT_EQ(answer->response().id(), next++);
        }
    }
    EXPECT_EQ(script.engine.revision(), 101U);
}

TEST(DispatcherOrder, ParameterChangesDoNotWaitForBlocks) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
        block
        a< response { id: 1 apply_transaction {} }
    )");
    for (int i = 0; i < 100; ++i) {
        script.send('a', request(R"(set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 300 } })"));
    }
    script.block();
    for (int i = 0; i < 100; ++i) {
        const auto answer = script.receive('a');
        ASSERT_TRUE(answer) << i;
        EXPECT_EQ(answer->response().set_parameters().frame(), 64U) << "all of them in one block";
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// No room

TEST(DispatcherOrder, AFullEngineIsAskedAgainUntilABlockMakesRoom) {
    Script script;
    script.play("hello a");
    fill_with_plans(script);
    script.play(R"(
        a> id: 1 apply_transaction { wait_for_start: true edits {} }
        tick 400
        a-
    )");
    script.render_block();
    script.play(R"(
        tick 0
        block
        a< response { id: 1 apply_transaction { revision: 17 } }
    )");
}

TEST(DispatcherOrder, AFullEngineIsGivenUpAfterTheTimeout) {
    Script script;
    script.play("hello a\nhello b");
    fill_with_plans(script);
    script.play(R"(
        a> id: 1 timeout_ms: 200 apply_transaction { wait_for_start: true edits {} }
        b> id: 1 apply_transaction { wait_for_start: true edits {} }
        tick 199
        a-
        tick 1
        a< response { id: 1 status { code: RESOURCE_EXHAUSTED } }
        a-
        tick 799
        b-
        tick 1
        b< response { id: 1 status { code: RESOURCE_EXHAUSTED } }
        a> id: 2 get_status {}
        a< response { id: 2 get_status { engine { revision: 16 } } }
    )");
}

TEST(DispatcherOrder, WhoKeepsTheThreadLongTakesTurnsAndOthersAreServedInBetween) {
    Script script;
    script.play(R"(
        hello a
        hello b
        hello c
    )");
    script.clock_step = std::chrono::milliseconds{1};  // as if everything took a long time
    for (std::uint64_t id = 1; id <= 3; ++id) {
        for (const char client : {'a', 'b'}) {
            v1::Request message = request("list_node_types { type: \"sine\" }");
            message.set_id(id);
            script.send(client, message);
        }
    }
    script.send('c', request("id: 1 get_status {}"));
    std::string order;
    std::map<char, std::size_t> answered;
    for (int pass = 0; pass < 40; ++pass) {
        for (const char client : {'a', 'b', 'c'}) {
            const std::size_t bytes = script.client(client).outbox().unsent_bytes();
            if (std::exchange(answered[client], bytes) != bytes) order += client;
        }
        script.dispatcher.time().begin_pass();
    }
    EXPECT_LT(order.find('c'), 4U) << order << ": its Hello has taken as long as their requests";
    EXPECT_EQ(order.size(), 7U) << order;
    EXPECT_EQ(order.find("aaa"), std::string::npos) << order;
    EXPECT_EQ(order.find("bbb"), std::string::npos) << order;
}

TEST(DispatcherOrder, ThoseWhoWaitForRoomGetItInTheOrderTheyCame) {
    Script script;
    script.play("hello a\nhello b\nhello c");
    fill_with_plans(script);
    script.play(R"(
        b> id: 1 apply_transaction { wait_for_start: true edits {} }
        b> id: 2 apply_transaction { wait_for_start: true edits {} }
        a> id: 1 apply_transaction { wait_for_start: true edits {} }
        tick 1
    )");
    script.render_block();
    script.dispatcher.tick();
    script.play(R"(
        c> id: 1 apply_transaction { wait_for_start: true edits {} }
        tick 1
        block
        b< response { id: 1 apply_transaction { revision: 17 } }
        a< response { id: 1 apply_transaction { revision: 18 } }
    )");
    script.play(R"(
        tick 1
        block
        b< response { id: 2 apply_transaction {} }
        c< response { id: 1 apply_transaction {} }
    )");
}

TEST(DispatcherOrder, WhoeverIsGoneNoLongerWaitsForRoom) {
    Script script;
    // One request is committed and not yet answered, one waits for room.
    script.play("hello a\nhello b\n a> id: 1 apply_transaction { wait_for_start: true edits {} }");
    fill_with_plans(script);
    script.play(R"(
        a> id: 2 apply_transaction { wait_for_start: true edits {} }
        b> id: 1 apply_transaction { wait_for_start: true edits {} }
        tick 1
    )");
    // Closed, but still referenced, as by a session whose coroutines have not ended yet.
    const std::shared_ptr<Client> held = script.client('a').shared_from_this();
    script.disconnect('a');
    script.play(R"(
        tick 1
        block
        block
        b< response { id: 1 apply_transaction { revision: 18 } }
        tick 100000
    )");
    EXPECT_TRUE(held->idle());
}

TEST(DispatcherOrder, ParameterChangesAreNotHeldUpByTransactionsThatFindNoRoom) {
    Script script;
    script.play(R"(
        hello a
        hello b
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
        block
        a< response { id: 1 apply_transaction {} }
    )");
    fill_with_plans(script);
    script.play(R"(
        a> id: 2 apply_transaction { wait_for_start: true edits {} }
        b> id: 1 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 220 } }
        block
        b< response { id: 1 set_parameters { frame: 64 } }
    )");
}

TEST(DispatcherOrder, AParameterChangeWaitsForRoomToo) {
    Script script;
    script.play(R"(
        hello a
        hello b
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
        block
        a< response { id: 1 apply_transaction {} }
    )");
    const v1::Request change =
        request(R"(timeout_ms: 60000 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 220 } })");
    for (std::size_t i = 0; i < 1000; ++i) script.send('a', change);
    for (std::size_t i = 1000; i < PlanExchange::kMaximumCommands + 10; ++i) script.send('b', change);
    script.play("b-\n block\n");
    std::size_t answered = 0;
    for (const char client : {'a', 'b'}) {
        while (script.receive(client)) ++answered;
    }
    EXPECT_EQ(answered, PlanExchange::kMaximumCommands);
    script.block();
    while (script.receive('b')) ++answered;
    EXPECT_EQ(answered, PlanExchange::kMaximumCommands + 10);
}

// ---------------------------------------------------------------------------------------------------------------------
// Back-pressure

TEST(DispatcherOrder, RequestsBeyondTheLimitAreNotTakenIn) {
    Script script;
    script.play("hello a");
    for (std::size_t i = 0; i < ClientLimits{}.pending_requests; ++i) {
        ASSERT_TRUE(script.client('a').wants_more()) << i;
        script.send('a', empty_transaction(i));
    }
    EXPECT_FALSE(script.client('a').wants_more());
    script.block();
    EXPECT_TRUE(script.client('a').wants_more());
}

TEST(DispatcherOrder, LargeRequestsAreBoundedByTheirBytes) {
    Script script;
    script.play("hello a\na> id: 1 apply_transaction { wait_for_start: true edits {} }\n");
    script.workers.held = true;
    v1::Request large = request("id: 2 apply_transaction {}");
    large.mutable_apply_transaction()->set_document(std::string(std::size_t{3} << 20U, ' '));
    int taken = 0;
    while (script.client('a').wants_more()) {
        script.send('a', large);
        EXPECT_FALSE(script.client('a').wants_more()) << "before the request has been parsed";
        script.workers.finish(script.workers.jobs.size() - 1);  // the others free memory
        ASSERT_LT(++taken, 10);
    }
    EXPECT_GE(taken, 2);  // a string may take more memory than its text
    EXPECT_LE(taken, 3);
    script.workers.held = false;
    script.play(
        "block\na< response { id: 1 apply_transaction {} }\na< response { id: 2 status { code: INVALID_ARGUMENT } }\n");
    EXPECT_TRUE(script.client('a').wants_more());
}

TEST(DispatcherOrder, AClientThatDoesNotReadStopsBeingAnswered) {
    Script script;
    script.play("hello a");
    v1::Request large = request("id: 1 apply_transaction { wait_for_start: true graph {} }");
    for (int i = 0; i < 5'000; ++i) {
        v1::Node& node = *large.mutable_apply_transaction()->mutable_graph()->add_nodes();
        node.set_name("node_with_a_long_name_" + std::to_string(i));
        node.set_type("gain");
    }
    script.send('a', large);
    script.block();
    ASSERT_TRUE(script.receive('a'));
    std::size_t sent = 0;
    for (; sent < 500 && script.client('a').wants_more(); ++sent) script.send('a', request("id: 2 get_graph {}"));
    EXPECT_LT(sent, 10U);
    EXPECT_LT(script.client('a').outbox().unsent_bytes(), std::size_t{4} << 20U);
    for (std::size_t i = 0; i < sent; ++i) {
        const auto answer = script.receive('a');
        ASSERT_TRUE(answer) << i;
        EXPECT_EQ(answer->response().get_graph().graph().nodes_size(), 5'000);
    }
    EXPECT_TRUE(script.client('a').idle());
}

TEST(DispatcherOrder, RequestsTakenInWhileThereWasRoomAreAnsweredAsRoomComes) {
    for (const char* const query : {"id: 2 get_graph {}", "id: 2 check_graph { with_graph: true edits {} }"}) {
        Script script;
        script.play("hello a");
        v1::Request large = request("id: 1 apply_transaction { wait_for_start: true graph {} }");
        for (int i = 0; i < 5'000; ++i) {
            v1::Node& node = *large.mutable_apply_transaction()->mutable_graph()->add_nodes();
            node.set_name("node_with_a_long_name_" + std::to_string(i));
            node.set_type("gain");
        }
        script.send('a', large);
        // Requests accumulate after an unanswered transaction; their responses must not.
        for (int i = 0; i < 20; ++i) script.send('a', request(query));
        script.block();
        EXPECT_LT(script.client('a').outbox().unsent_bytes(), std::size_t{4} << 20U);
        for (int i = 0; i < 21; ++i) ASSERT_TRUE(script.receive('a')) << i;
        EXPECT_TRUE(script.client('a').idle());
    }
}

TEST(DispatcherOrder, AnAnswerThatNoFrameCanHoldIsAnError) {
    Script script;
    script.play("hello a");
    for (int part = 0; part < 3; ++part) {
        v1::Request message = request("id: 1 apply_transaction { wait_for_start: true edits {} }");
        for (int i = 0; i < 12'000; ++i) {
            v1::Node& node = *message.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_add_node();
            node.set_name("a_node_of_the_graph_with_a_name_as_long_as_it_may_be_" + std::to_string(part * 12'000 + i));
            node.set_type("gain");
        }
        script.send('a', message);
        script.block();
        script.play("a< response { id: 1 apply_transaction {} }");
    }
    script.play(R"(
        a> id: 2 get_graph {}
        a< response { id: 2 status { code: RESOURCE_EXHAUSTED } }
        a> id: 3 get_status {}
        a< response { id: 3 get_status { engine { node_count: 36000 } } }
    )");
}

// ---------------------------------------------------------------------------------------------------------------------
// How often the engine is polled

TEST(DispatcherOrder, TheEngineIsAskedOftenOnlyWhileSomebodyWaits) {
    using namespace std::chrono_literals;
    Script script;
    int busy = 0;
    script.dispatcher.on_busy([&] { ++busy; });
    EXPECT_GE(script.dispatcher.interval(), 10ms);
    script.play("hello a");
    EXPECT_EQ(busy, 0);
    script.play(
        "a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: \"osc\" type: \"sine\" } } } }");
    EXPECT_EQ(busy, 1) << "a caller that sleeps for 50 ms must be woken";
    EXPECT_LE(script.dispatcher.interval(), 150us);
    script.block();
    EXPECT_GT(script.dispatcher.interval(), 150us);
    for (int i = 0; i < 100; ++i) script.block();
    EXPECT_GE(script.dispatcher.interval(), 10ms);
}

}  // namespace
}  // namespace rta::api::test
