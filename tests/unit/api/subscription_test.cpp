// SPDX-License-Identifier: MIT
// What subscribers receive.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "document/document.h"
#include "graph/settings.h"
#include "script.h"

namespace rta::api::test {
namespace {

TEST(Events, SubscribersAreToldOfEveryChangeTheAuthorIncluded) {
    Script script;
    script.play(R"(
        hello a
        hello b
        hello c
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 subscribe { } }
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe { } }
        a> id: 2 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
        a< event { number: 1 graph_changed { revision: 1 client_name: "a" edits { add_node { name: "osc" type: "sine" } } } }
        b< event { number: 1 graph_changed { revision: 1 client_name: "a" edits { add_node { name: "osc" type: "sine" } } } }
        a-
        block
        a< response { id: 2 apply_transaction { revision: 1 frame: 0 } }
        a< event { number: 2 transaction_heard { revision: 1 } }
        b< event { number: 2 transaction_heard { revision: 1 } }
        b> id: 2 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 220 ramp_ms: 5 } }
        a< event { number: 3 parameters_changed { revision: 1 client_name: "b" changes { node: "osc" parameter: "frequency_hz" value: 220 ramp_ms: 5 } } }
        b< event { number: 3 parameters_changed { revision: 1 client_name: "b" } }
        block
        b< response { id: 2 set_parameters { frame: 64 } }
        b-
        a-
        c-
    )");
}

TEST(Events, SubscriptionBeginsAtTheNumberThatItsAnswerTells) {
    Script script;
    script.play("hello a\n" + tone() + "hello b\n");
    script.send('b', request("id: 1 subscribe { topics: TOPIC_CHANGES }"));
    const auto answer = script.receive('b');
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->response().subscribe().change_number(), 2U);
    EXPECT_EQ(answer->response().subscribe().instance_id(), script.dispatcher.hub().instance_id());
    script.play(R"(
        b> id: 2 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 2 subscribe { change_number: 2 } }
        a> id: 2 apply_transaction { wait_for_start: true edits {} }
        b< event { number: 3 graph_changed { revision: 2 } }
        b-
    )");
}

TEST(Events, AReplacedGraphIsToldAsOneEditWhateverFormItCameIn) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 subscribe {} }
        a> id: 2 apply_transaction { wait_for_start: true document: "{\"nodes\": [{\"name\": \"c\", \"type\": \"constant\", \"parameters\": {\"value\": 0.5}}]}" }
        a< event { number: 1 graph_changed { revision: 1 edits { replace_graph { nodes { name: "c" type: "constant" parameters { key: "value" value: 0.5 } } } } } }
        block
        a< response { id: 2 apply_transaction { revision: 1 } }
        a< event { number: 2 transaction_heard { revision: 1 } }
        a> id: 3 apply_transaction { wait_for_start: true graph { nodes { name: "d" type: "gain" } } }
        a< event { number: 3 graph_changed { revision: 2 edits { replace_graph { nodes { name: "d" type: "gain" } } } } }
    )");
}

TEST(Events, ContainTheSettingsThatWereDrawn) {
    const auto seed = [](double value) {
        return "settings { fields { key: \"seed\" value { number_value: " + std::to_string(value) + " } } }";
    };
    const auto drawn = [&](std::string_view name) {
        return seed(static_cast<double>(random_from_name(name) % 4'294'967'296));
    };
    Script script;
    script.play(R"(
        hello a
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 subscribe {} }
        a> id: 2 apply_transaction { wait_for_start: true edits { edits { add_node { name: "n" type: "noise" } } edits { add_node { name: "k" type: "noise" )" +
                seed(5) + R"( } } } }
        a< event { number: 1 graph_changed { revision: 1 edits { add_node { name: "n" type: "noise" )" +
                drawn("n") + R"( } } edits { add_node { name: "k" type: "noise" )" + seed(5) + R"( } } } }
        block
        a< response { id: 2 apply_transaction { revision: 1 } }
        a< event { number: 2 transaction_heard { revision: 1 } }
        a> id: 3 apply_transaction { wait_for_start: true graph { nodes { name: "k" type: "noise" } nodes { name: "m" type: "noise" } } }
        a< event { number: 3 graph_changed { revision: 2 edits { replace_graph { nodes { name: "k" type: "noise" )" +
                seed(5) + R"( } nodes { name: "m" type: "noise" )" + drawn("m") + R"( } } } } }
    )");
    EXPECT_EQ(script.engine.graph().find("k")->description->settings.number("seed"), 5.0) << "kept";
}

TEST(Events, UnknownTopicsAreRefused) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 subscribe { topics: TOPIC_UNSPECIFIED }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        a> id: 2 subscribe { topics: 77 }
        a< response { id: 2 status { code: INVALID_ARGUMENT } }
    )");
    EXPECT_EQ(script.dispatcher.hub().subscriber_count(), 0U);
}

TEST(Events, TheEventsRebuildTheGraph) {
    Script author;
    author.play(R"(
        hello a
        hello b
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
    )" + tone() +
                R"(
        a> id: 2 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 330 } }
        a> id: 3 apply_transaction { wait_for_start: true edits { edits { add_node { name: "trim" type: "gain" } } edits { disconnect { from: "osc" to: "vol" } } edits { connect { from: "osc" to: "trim" } } edits { connect { from: "trim" to: "vol" gain_db: -1 } } } }
        a> id: 4 apply_transaction { wait_for_start: true edits { edits { change_settings { node: "out" settings { fields { key: "channels" value { number_value: 1 } } } } } } }
        block
        block
    )");
    Script mirror;
    mirror.play("hello m");
    std::uint64_t number = 0;
    while (const auto message = author.receive('b')) {
        const v1::Event& event = message->event();
        EXPECT_EQ(event.number(), ++number);
        v1::Request again = request("id: 1");
        if (event.has_graph_changed()) {
            *again.mutable_apply_transaction()->mutable_edits()->mutable_edits() = event.graph_changed().edits();
        } else if (event.has_parameters_changed()) {
            *again.mutable_set_parameters()->mutable_changes() = event.parameters_changed().changes();
        } else {
            continue;
        }
        mirror.send('m', again);
        mirror.block();
        const auto answer = mirror.receive('m');
        EXPECT_EQ(answer->response().status().code(), v1::OK) << sentence(answer);
    }
    EXPECT_EQ(number, 7U);
    EXPECT_EQ(write_document(mirror.engine.graph().document()), write_document(author.engine.graph().document()));
    EXPECT_EQ(mirror.engine.revision(), author.engine.revision());
}

TEST(Events, DeviceChangesAreTold) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 subscribe {} }
    )");
    script.dispatcher.device_changed(
        {.description = {.kind = "null"}, .running = true, .fallback_reason = "the sound card is gone"});
    script.play(
        R"(a< event { number: 1 device_changed { device { kind: "null" running: true fallback_reason: "the sound card is gone" } } })");
}

TEST(Events, AFaultedNodeIsNamed) {
    const NodeType* types[] = {&kBroken, builtin_nodes().find("output")};
    const NodeRegistry registry{types};
    Script script{registry};
    script.play(R"(
        hello a
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 subscribe {} }
        a> id: 2 apply_transaction { wait_for_start: true edits { edits { add_node { name: "bad" type: "broken" } } edits { add_node { name: "out" type: "output" } } edits { connect { from: "bad" to: "out" } } } }
        a< event { number: 1 graph_changed { revision: 1 } }
        block
        a< response { id: 2 apply_transaction { revision: 1 } }
        a< event { number: 2 transaction_heard { revision: 1 } }
    )");
    std::vector<std::string> logged;
    script.dispatcher.on_node_fault([&](const std::string& node) { logged.push_back(node); });
    // The engine decides when it detects the fault; this test verifies that subscribers are notified once.
    std::optional<v1::ServerMessage> told;
    for (int blocks = 0; !told && blocks < 100; ++blocks) {
        script.block();
        told = script.receive('a');
    }
    ASSERT_TRUE(told);
    EXPECT_EQ(told->event().number(), 3U);
    EXPECT_EQ(told->event().node_faulted().node(), "bad");
    EXPECT_EQ(logged, std::vector<std::string>{"bad"});
}

TEST(Events, AClosedClientIsSentNothing) {
    Script script;
    script.play(R"(
        hello a
        hello b
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        b> id: 2 apply_transaction { wait_for_start: true edits {} }
    )");
    script.disconnect('b');
    EXPECT_EQ(script.dispatcher.hub().subscriber_count(), 0U);
    EXPECT_EQ(script.dispatcher.client_count(), 1U);
    script.play(R"(
        block
        a> id: 1 get_graph {}
        a< response { id: 1 get_graph { revision: 1 change_number: 2 } }
    )");
}

TEST(Events, ASubscriberThatDoesNotReadIsGivenUpAndTheOthersAreNot) {
    Script script;
    script.play(R"(
        hello a
        hello b
        hello c
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        c> id: 1 subscribe { topics: TOPIC_CHANGES }
        c< response { id: 1 subscribe {} }
    )");
    v1::Request large = request("id: 2 apply_transaction { wait_for_start: true graph {} }");
    for (int i = 0; i < 10'000; ++i) {
        v1::Node& node = *large.mutable_apply_transaction()->mutable_graph()->add_nodes();
        node.set_name("node_with_a_name_of_almost_the_64_bytes_that_are_allowed_" + std::to_string(i));
        node.set_type("gain");
    }
    int transactions = 0;
    while (script.client('b').lost().empty()) {
        ASSERT_LT(++transactions, 1000);
        script.send('a', large);
        script.block();
        ASSERT_TRUE(script.receive('a'));
        while (script.receive('c')) {
        }
    }
    EXPECT_LE(script.client('b').outbox().unsent_bytes(), OutboxLimits{}.event_bytes + 100);
    EXPECT_TRUE(script.client('c').lost().empty());
    EXPECT_TRUE(script.client('a').lost().empty());
}

TEST(Events, UnreadEventsAreStoredOnceForAllClients) {
    Script script;
    script.play("hello a");
    const std::string subscribers = "bcdefgh";
    for (const char client : subscribers) {
        script.play(std::string{"hello "} + client);
        script.send(client, request("id: 1 subscribe { topics: TOPIC_CHANGES }"));
        ASSERT_TRUE(script.receive(client));
    }
    // Small events share a page, large ones have their own.
    for (const std::size_t length : {10U, 100U, 4'000U, 20U, 3'900U, 30U}) {
        v1::Request describe = request("id: 2 apply_transaction { edits {} }");
        for (int i = 0; i < 3; ++i) {
            describe.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_describe()->set_description(
                std::string(length, 'x'));
        }
        script.send('a', describe);
        script.block();
        ASSERT_TRUE(script.receive('a'));
    }
    const auto places = [&](char client) {
        std::vector<const void*> all;
        std::size_t bytes = 0;
        for (const Outbox::Chunk& chunk : script.client(client).outbox().take(std::size_t{1} << 20U)) {
            EXPECT_TRUE(chunk.shared) << "no client has a copy of an event";
            all.push_back(chunk.bytes().data());
            bytes += chunk.bytes().size();
        }
        EXPECT_GT(bytes, 3 * 8'000U);
        return all;
    };
    const auto first = places('b');
    ASSERT_FALSE(first.empty());
    for (const char client : subscribers.substr(1)) EXPECT_EQ(places(client), first) << client;
}

TEST(Events, FadeOutTellsItsEnd) {
    Script script;
    script.play("hello a\n" + tone());
    bool faded = false;
    script.dispatcher.fade_out(20.0F, [&] { faded = true; });
    for (int i = 0; i < 14; ++i) script.block();
    EXPECT_FALSE(faded) << "20 ms are 960 frames, 15 blocks of 64";
    script.block();
    EXPECT_TRUE(faded);
}

}  // namespace
}  // namespace rta::api::test
