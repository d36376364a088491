// SPDX-License-Identifier: MIT
// ClientLimits and GraphLimits other than the defaults: what is at the limit is accepted, what is beyond it is not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "script.h"

namespace rta::api::test {
namespace {

using namespace std::chrono_literals;

TEST(Limits, PendingRequestsOfAClient) {
    Script script{builtin_nodes(), {}, {.pending_requests = 3}};
    script.play("hello a");
    for (int id = 1; id <= 3; ++id) {
        EXPECT_TRUE(script.client('a').wants_more()) << id;
        script.play("a> id: " + std::to_string(id) + " apply_transaction { wait_for_start: true edits {} }");
    }
    EXPECT_FALSE(script.client('a').wants_more());
    script.block();
    EXPECT_TRUE(script.client('a').wants_more());
}

TEST(Limits, PendingMemoryOfAClientAndOfAll) {
    Script script{builtin_nodes(), {}, {.pending_bytes = 128 << 10U, .pending_bytes_of_all = 192 << 10U}};
    script.play("hello a\nhello b");
    script.workers.held = true;
    // Takes about 25 KiB of memory, and waits for a worker.
    v1::Request waiting = request("id: 1 check_graph { edits {} }");
    for (int i = 0; i < 100; ++i) waiting.mutable_check_graph()->mutable_edits()->add_edits()->mutable_add_node();
    const std::size_t each = waiting.SpaceUsedLong();
    ASSERT_LT(each, 64U << 10U);
    const auto fill = [&](char name) {
        std::size_t count = 0;
        while (script.client(name).wants_more()) {
            script.send(name, waiting);
            ++count;
        }
        return count * each;
    };
    const std::size_t first = fill('a');
    EXPECT_GE(first + 2 * each, 128U << 10U);
    EXPECT_LT(first, (128U << 10U) + 2 * each) << "of one client";
    const std::size_t second = fill('b');
    EXPECT_GE(second + 2 * each, 64U << 10U);
    EXPECT_LT(second, (64U << 10U) + 2 * each) << "what is left for all";
}

TEST(Limits, Subscriptions) {
    Script script{builtin_nodes(), {}, {.subscriptions = 2}};
    script.play(R"(
        hello a
        hello b
        hello c
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 status { code: OK } }
        b> id: 1 subscribe { topics: TOPIC_LEVELS }
        b< response { id: 1 status { code: OK } }
        c> id: 1 subscribe { topics: TOPIC_CHANGES }
        c< response { id: 1 status { code: RESOURCE_EXHAUSTED message: "limit of 2 subscribed clients reached (--max-subscriptions); try again when another one has disconnected" } }
        a> id: 2 subscribe { topics: TOPIC_LOAD }
        a< response { id: 2 status { code: OK } }
    )");
    EXPECT_FALSE(script.client('c').has_subscribed()) << "it may be displaced";
    EXPECT_EQ(script.dispatcher.hub().subscriber_count(), 0U) << "only a wanted changes, and has changed its topics";
    script.disconnect('b');
    script.play(R"(
        c> id: 2 subscribe { topics: TOPIC_CHANGES }
        c< response { id: 2 status { code: OK } }
        hello d
        d> id: 1 subscribe { topics: TOPIC_CHANGES }
        d< response { id: 1 status { code: RESOURCE_EXHAUSTED } }
    )");
}

TEST(Limits, NoSubscriptionAtAll) {
    Script script{builtin_nodes(), {}, {.subscriptions = 0}};
    script.play(R"(
        hello a
        a> id: 1 subscribe {}
        a< response { id: 1 status { code: RESOURCE_EXHAUSTED } }
        a> id: 2 get_graph {}
        a< response { id: 2 status { code: OK } }
    )");
}

TEST(Limits, UnreadChanges) {
    Script script{builtin_nodes(), {}, {.output = {.event_bytes = 4'096}}};
    script.play(R"(
        hello a
        hello b
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 status { code: OK } }
    )");
    std::size_t most = 0;
    for (int i = 0; i < 100 && script.client('b').lost().empty(); ++i) {
        most = std::max(most, script.client('b').outbox().unsent_bytes());
        script.play("a> id: 1 apply_transaction { edits { edits { describe { title: \"" + std::string(200, 'x') +
                    "\" } } } }\nblock");
        ASSERT_TRUE(script.receive('a'));
    }
    EXPECT_TRUE(script.client('b').lost().starts_with("does not read its events (more than --max-unread-events"));
    EXPECT_LE(most, 4'096U);
    EXPECT_GT(most, 4'096U - 1'000U) << "it was not given up before";
}

TEST(Limits, UnreadResponses) {
    Script script{builtin_nodes(), {}, {.output = {.response_bytes = 10'000}}};
    script.play("hello a\na> id: 1 list_node_types {}");
    EXPECT_GT(script.client('a').outbox().unsent_bytes(), 10'000U) << "one answer is always sent";
    EXPECT_FALSE(script.client('a').wants_more());
    ASSERT_TRUE(script.receive('a'));
    EXPECT_TRUE(script.client('a').wants_more());
}

TEST(Limits, RatesOfTelemetry) {
    Script script{builtin_nodes(), {}, {.telemetry_rates = 1}};
    script.play(R"(
        hello a
        hello b
        a> id: 1 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 10 }
        a< response { id: 1 status { code: OK } }
        b> id: 1 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 100 }
        b< response { id: 1 status { code: OK } }
    )");
    int events = 0;
    for (int i = 0; i < 750; ++i) {
        script.block();
        while (script.receive('b')) ++events;
    }
    EXPECT_NEAR(events, 10, 1) << "1 s at the rate of the other client";
}

TEST(Limits, TheSliceOfAPass) {
    std::chrono::nanoseconds used{0};
    ControlTime time{[&] { return used; }, [] { return TimePoint{1h}; }, 1ms};
    struct Nothing final : Waiter {
        void resume() override {}
        void expire(TimePoint) override {}
    };
    const auto waiter = std::make_shared<Nothing>();
    const auto work = [&](std::chrono::nanoseconds duration) {
        const ControlTime::Scope scope{time, waiter};
        used += duration;
    };
    work(999us);
    EXPECT_FALSE(time.pass_over());
    work(1us);
    EXPECT_TRUE(time.pass_over());
}

TEST(Limits, OfTheGraphAreAnsweredWithTheEdit) {
    Script script{builtin_nodes(), {.limits = {.nodes = 2, .connections = 1}}, {}};
    script.play(R"script(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "x" type: "gain" } } edits { add_node { name: "y" type: "gain" } } edits { connect { from: "x" to: "y" } } } }
        block
        a< response { id: 1 status { code: OK } }
        a> id: 2 apply_transaction { edits { edits { set_parameter { node: "x" parameter: "gain_db" value: -6 } } edits { add_node { name: "z" type: "gain" } } } }
        a< response { id: 2 status { code: RESOURCE_EXHAUSTED edit_index: 1 message: "the graph would have 3 nodes; the limit is 2 (--max-nodes)" } }
        a> id: 3 check_graph { edits { edits { connect { from: "x" to: "y" gain_db: -6 } } edits { add_node { name: "z" type: "gain" } } } }
        a< response { id: 3 status { code: RESOURCE_EXHAUSTED edit_index: 1 } }
        a> id: 4 get_graph {}
        a< response { id: 4 get_graph { revision: 1 } }
    )script");
}

}  // namespace
}  // namespace rta::api::test
