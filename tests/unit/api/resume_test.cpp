// SPDX-License-Identifier: MIT
// Subscriptions that continue after a number, and those of some nodes only.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "api/events/kept_changes.h"
#include "script.h"

namespace rta::api::test {
namespace {

/// Subscribes to changes after a number of this instance.
v1::Request resume_request(const Script& script, std::uint64_t after) {
    v1::Request resume = request("id: 7 subscribe { topics: TOPIC_CHANGES }");
    resume.mutable_subscribe()->set_resume_after(after);
    resume.mutable_subscribe()->set_resume_instance(script.dispatcher.hub().instance_id());
    return resume;
}

v1::SubscribeResult subscribe(Script& script, char client, const v1::Request& request) {
    script.send(client, request);
    const auto answer = script.receive(client);
    EXPECT_EQ(answer ? answer->response().status().code() : v1::INTERNAL, v1::OK) << sentence(answer);
    return answer ? answer->response().subscribe() : v1::SubscribeResult{};
}

v1::SubscribeResult resume(Script& script, char client, std::uint64_t after) {
    return subscribe(script, client, resume_request(script, after));
}

/// Publishes a change of about this many bytes.
void publish(Script& script, std::size_t bytes = 10) {
    script.dispatcher.device_changed(
        {.description = {.kind = "null"}, .running = true, .fallback_reason = std::string(bytes, 'x')});
}

/// Receives the changes that are in the outbox.
std::vector<std::uint64_t> numbers(Script& script, char client) {
    std::vector<std::uint64_t> numbers;
    while (const auto message = script.receive(client)) numbers.push_back(message->event().number());
    return numbers;
}

std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t number = first; number <= last; ++number) numbers.push_back(number);
    return numbers;
}

TEST(Resume, SendsWhatWasMissedThenWhatFollows) {
    Script script;
    script.play("hello a\nhello b\n");
    subscribe(script, 'a', request("id: 1 subscribe { topics: TOPIC_CHANGES }"));
    for (int i = 0; i < 5; ++i) publish(script);
    EXPECT_EQ(numbers(script, 'a'), range(1, 5));
    script.disconnect('a');
    for (int i = 0; i < 4; ++i) publish(script);
    const auto resumed = resume(script, 'b', 5);
    EXPECT_TRUE(resumed.resumed());
    EXPECT_EQ(resumed.change_number(), 5U);
    publish(script);
    EXPECT_EQ(numbers(script, 'b'), range(6, 10));
    publish(script);
    EXPECT_EQ(numbers(script, 'b'), range(11, 11));
}

TEST(Resume, TheResponsePrecedesTheEvents) {
    Script script;
    script.play("hello a\n");
    subscribe(script, 'a', request("id: 1 subscribe { topics: TOPIC_CHANGES }"));
    script.disconnect('a');
    publish(script);
    script.play("hello a\n");
    script.send('a', resume_request(script, 0));
    EXPECT_TRUE(script.receive('a')->has_response());
    EXPECT_EQ(script.receive('a')->event().number(), 1U);
}

TEST(Resume, WithoutAMissedChangeContinues) {
    Script script;
    script.play("hello a\n");
    const auto resumed = resume(script, 'a', 0);
    EXPECT_TRUE(resumed.resumed());
    publish(script);
    EXPECT_EQ(numbers(script, 'a'), range(1, 1));
}

TEST(Resume, OfAnotherInstanceOrOfAnUnknownNumberBeginsNow) {
    Script script;
    script.play("hello a\n");
    subscribe(script, 'a', request("id: 1 subscribe { topics: TOPIC_CHANGES }"));
    publish(script);
    publish(script);
    EXPECT_EQ(numbers(script, 'a'), range(1, 2));
    v1::Request other = resume_request(script, 1);
    other.mutable_subscribe()->set_resume_instance("0123456789abcdef");
    const v1::Request late = resume_request(script, 3);
    for (const v1::Request& request : {other, late}) {
        const auto begun = subscribe(script, 'a', request);
        EXPECT_FALSE(begun.resumed());
        EXPECT_EQ(begun.change_number(), 2U);
    }
    publish(script);
    EXPECT_EQ(numbers(script, 'a'), range(3, 3));
}

TEST(Resume, NeedsChangesAndAnInstance) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 subscribe { topics: TOPIC_LEVELS resume_after: 0 resume_instance: "x" }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        a> id: 2 subscribe { resume_after: 0 }
        a< response { id: 2 status { code: INVALID_ARGUMENT } }
    )");
    EXPECT_EQ(script.dispatcher.hub().subscriber_count(), 0U);
}

TEST(Resume, BeyondTheKeptChangesBeginsNow) {
    Script script{builtin_nodes(), {}, ClientLimits{.kept_bytes = 1'000}};
    script.play("hello a\n");
    subscribe(script, 'a', request("id: 1 subscribe { topics: TOPIC_CHANGES }"));
    for (int i = 0; i < 100; ++i) publish(script);
    EXPECT_EQ(numbers(script, 'a'), range(1, 100));
    EXPECT_FALSE(resume(script, 'a', 10).resumed());
    EXPECT_TRUE(resume(script, 'a', 95).resumed());
    EXPECT_EQ(numbers(script, 'a'), range(96, 100)) << "again, as it has asked for them";
}

TEST(Resume, OfManyChangesFillsTheOutboxOnlyAsTheClientReads) {
    Script script;
    script.play("hello a\nhello b\n");
    subscribe(script, 'a', request("id: 1 subscribe { topics: TOPIC_CHANGES }"));
    script.disconnect('a');
    std::uint64_t last = 0;
    for (; last < KeptChanges::kMaximum; ++last) publish(script, 1'000);
    ASSERT_TRUE(resume(script, 'b', 0).resumed());
    std::uint64_t next = 1;
    std::mt19937 random{7};
    // New changes are added while it reads, then it has caught up.
    for (bool caught_up = false; !caught_up;) {
        EXPECT_LE(script.client('b').outbox().unsent_event_bytes(), (std::size_t{256} << 10U) + 64 * 1'100);
        for (auto add = random() % 3; add > 0 && last < KeptChanges::kMaximum + 3'000; --add, ++last)
            publish(script, 1'000);
        for (auto read = random() % 10; read > 0; --read) {
            const auto message = script.receive('b');
            ASSERT_EQ(message->event().number(), next) << script.client('b').lost();
            ++next;
            if (next > last) break;
        }
        script.tick({});
        caught_up = next > last;
    }
    publish(script);
    EXPECT_EQ(numbers(script, 'b'), range(last + 1, last + 1));
}

TEST(Resume, IsNeitherLateNorTwiceWhateverTheInterleaving) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        Script script;
        std::mt19937 random{seed};
        script.play("hello a\nhello b\n");
        subscribe(script, 'a', request("id: 1 subscribe { topics: TOPIC_CHANGES }"));
        std::uint64_t seen = 0;
        for (int step = 0; step < 100; ++step) {
            const auto action = random() % 8;
            if (action < 5) {
                for (auto i = random() % 20; i > 0; --i) publish(script, 1 + random() % 20'000);
            } else if (action < 7) {
                const auto message = script.receive('b');
                if (!message || !message->has_event()) continue;
                ASSERT_EQ(message->event().number(), seen + 1) << "seed " << seed;
                seen = message->event().number();
            } else {
                script.disconnect('b');
                script.play("hello b\n");
                ASSERT_TRUE(resume(script, 'b', seen).resumed());
            }
            while (script.receive('a')) {
            }
        }
        const auto rest = numbers(script, 'b');
        if (rest.empty()) continue;
        EXPECT_EQ(rest, range(seen + 1, script.dispatcher.hub().number())) << "seed " << seed;
    }
}

TEST(Resume, AClientThatReadsMoreSlowlyThanChangesAreAddedIsDisconnected) {
    Script script{builtin_nodes(), {}, ClientLimits{.kept_bytes = 2'000'000}};
    script.play("hello a\nhello b\n");
    subscribe(script, 'a', request("id: 1 subscribe { topics: TOPIC_CHANGES }"));
    script.disconnect('a');
    for (int i = 0; i < 100; ++i) publish(script, 10'000);
    ASSERT_TRUE(resume(script, 'b', 0).resumed());
    for (int i = 0; i < 300; ++i) publish(script, 10'000);
    EXPECT_TRUE(script.client('b').lost().empty()) << "it has not been sent the next one yet";
    const auto sent = numbers(script, 'b');
    EXPECT_EQ(sent, range(1, sent.size()));
    EXPECT_TRUE(script.client('b').lost().starts_with("reads its missed events more slowly"));
}

TEST(Resume, AnotherSubscriptionWhileItCatchesUpLosesNothing) {
    Script script;
    script.play("hello a\nhello b\n");
    subscribe(script, 'a', request("id: 1 subscribe { topics: TOPIC_CHANGES }"));
    script.disconnect('a');
    for (int i = 0; i < 100; ++i) publish(script, 10'000);
    ASSERT_TRUE(resume(script, 'b', 0).resumed());
    script.send('b', request("id: 8 subscribe { topics: TOPIC_CHANGES topics: TOPIC_XRUNS }"));
    std::vector<std::uint64_t> events;
    std::uint64_t begins = 0;
    std::size_t before = 0;
    while (const auto message = script.receive('b')) {
        if (message->has_response()) {
            begins = message->response().subscribe().change_number();
            before = events.size();
        } else {
            events.push_back(message->event().number());
        }
    }
    EXPECT_EQ(events, range(1, 100));
    EXPECT_EQ(begins, before) << "the first event after the response has the next number";
}

TEST(Filter, SendsTheChangesOfItsNodesAndThoseOfNone) {
    Script script;
    script.play("hello a\nhello b\n" + tone());
    script.play(R"(
        b> id: 1 subscribe { topics: TOPIC_CHANGES nodes: "vol" nodes: "later" }
        b< response { id: 1 subscribe { change_number: 2 } }
        a> id: 2 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 220 } }
        a> id: 3 set_parameters { changes { node: "vol" parameter: "gain_db" value: -3 } }
        block
        b< event { number: 4 parameters_changed { changes { node: "vol" } } }
        a> id: 4 mute_output { muted: true }
        b< event { number: 5 output_muted { muted: true } }
        a> id: 5 apply_transaction { edits { edits { add_node { name: "later" type: "gain" } } edits { add_node { name: "other" type: "gain" } } } }
        b< event { number: 6 graph_changed { edits { add_node { name: "later" } } edits { add_node { name: "other" } } } }
        b-
    )");
}

TEST(Filter, DoesNotFollowARenamedNodeButAResumeDoesWithoutAGap) {
    Script script;
    script.play("hello a\nhello b\n" + tone());
    script.play(R"(
        b> id: 1 subscribe { topics: TOPIC_CHANGES nodes: "vol" }
        b< response { id: 1 subscribe { change_number: 2 } }
        a> id: 2 apply_transaction { edits { edits { rename_node { name: "vol" new_name: "master" } } } }
        b< event { number: 3 graph_changed { edits { rename_node { name: "vol" new_name: "master" } } } }
        a> id: 3 set_parameters { changes { node: "master" parameter: "gain_db" value: -3 } }
        a> id: 4 set_parameters { changes { node: "osc" parameter: "gain_db" value: -30 } }
        b-
    )");
    v1::Request again = resume_request(script, 3);
    again.mutable_subscribe()->add_nodes("master");
    EXPECT_TRUE(subscribe(script, 'b', again).resumed());
    script.play(R"(
        b< event { number: 4 parameters_changed { changes { node: "master" } } }
        b-
    )");
}

TEST(Filter, ARemovedNeighbourIsReported) {
    Script script;
    script.play("hello a\nhello b\n" + tone());
    script.play(R"(
        b> id: 1 subscribe { topics: TOPIC_CHANGES nodes: "vol" }
        b< response { id: 1 subscribe { change_number: 2 } }
        a> id: 2 apply_transaction { edits { edits { remove_node { name: "osc" } } } }
        b< event { number: 3 graph_changed { edits { remove_node { name: "osc" } } } }
    )");
}

TEST(Filter, InvalidNamesAndTooManyAreRefused) {
    Script script;
    v1::Request many = request("id: 2 subscribe { }");
    for (std::size_t i = 0; i <= NodeFilter::kMaximumNodes; ++i)
        many.mutable_subscribe()->add_nodes("n" + std::to_string(i));
    script.play(R"(
        hello a
        a> id: 1 subscribe { nodes: "osc:out" }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
    )");
    script.send('a', many);
    EXPECT_EQ(sentence(script.receive('a')), "257 nodes; expected at most 256");
}

}  // namespace
}  // namespace rta::api::test
