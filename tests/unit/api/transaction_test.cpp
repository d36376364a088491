// SPDX-License-Identifier: MIT
// Requests that change the graph, and the errors with which they are refused.
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>
#include <string_view>

#include "document/document.h"
#include "script.h"
#include "support/live_processors.h"

namespace rta::api::test {
namespace {

TEST(Transactions, ATransactionIsAnsweredWhenItIsHeard) {
    Script script;
    script.play(R"(
        hello a
        block
        block
        a> id: 7 apply_transaction { wait_for_start: true edits { edits { add_node { name: "osc" type: "sine" } } } }
        a-
        tick 1
        a-
        block
        a< response { id: 7 apply_transaction { revision: 1 frame: 128 } }
        a-
    )");
}

TEST(Transactions, ATransactionWithoutEditsTakesARevisionToo) {
    Script script;
    script.play(R"(
        hello a
        a> id: 7 apply_transaction { wait_for_start: true edits {} }
        block
        a< response { id: 7 apply_transaction { revision: 1 } }
    )");
}

TEST(Transactions, AGraphComesAsMessageOrAsDocument) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true graph { nodes { name: "osc" type: "sine" parameters { key: "frequency_hz" value: 220 } } nodes { name: "out" type: "output" } connections { from: "osc" to: "out" gain_db: -6 } } }
        block
        a< response { id: 1 apply_transaction { revision: 1 } }
        a> id: 2 apply_transaction { wait_for_start: true document: "{\"nodes\": [{\"name\": \"c\", \"type\": \"constant\"}], \"connections\": []}" }
        block
        a< response { id: 2 apply_transaction { revision: 2 } }
    )");
    EXPECT_EQ(script.engine.graph().node_count(), 1U);
    EXPECT_NE(script.engine.graph().find("c"), nullptr);
}

TEST(Transactions, EveryBadEditIsRefusedByIndexAndChangesNothing) {
    struct Case {
        const char* edit;
        v1::Code code;
        const char* name;  ///< must be in the error message
    };
    const Case cases[] = {
        {R"(add_node { name: "osc" type: "gain" })", v1::ALREADY_EXISTS, "osc"},
        {R"(add_node { name: "x" type: "sinus" })", v1::NOT_FOUND, "sinus"},
        {R"(add_node { name: "1x" type: "sine" })", v1::INVALID_ARGUMENT, "1x"},
        {R"(add_node { name: "x" type: "sine" parameters { key: "pitch" value: 1 } })", v1::NOT_FOUND, "pitch"},
        {R"(add_node { name: "x" type: "sine" parameters { key: "frequency_hz" value: nan } })", v1::INVALID_ARGUMENT,
         "frequency_hz"},
        {R"(add_node { name: "x" type: "sine" settings { fields { key: "channels" value { number_value: 2.5 } } } })",
         v1::INVALID_ARGUMENT, "channels"},
        {R"(add_node { name: "x" type: "sine" settings { fields { key: "color" value { number_value: 1 } } } })",
         v1::NOT_FOUND, "color"},
        {R"(remove_node { name: "missing" })", v1::NOT_FOUND, "missing"},
        {R"(connect { from: "missing" to: "vol" })", v1::NOT_FOUND, "missing"},
        {R"(connect { from: "osc" to: "vol:left" })", v1::NOT_FOUND, "left"},
        {R"(connect { from: "vol" to: "vol" })", v1::FAILED_PRECONDITION, "vol"},
        {R"(connect { from: "osc" to: "vol" gain_db: nan })", v1::INVALID_ARGUMENT, "osc"},
        {R"(connect { from: "osc" to: "vol" gain_db: 25 })", v1::INVALID_ARGUMENT, "25"},
        {R"(disconnect { from: "osc" to: "out" })", v1::NOT_FOUND, "osc"},
        {R"(set_parameter { node: "osc" parameter: "frequency_hz" value: -1 })", v1::INVALID_ARGUMENT, "frequency_hz"},
        {R"(set_parameter { node: "osc" parameter: "frequency_hz" value: inf })", v1::INVALID_ARGUMENT, "frequency_hz"},
        {R"(set_parameter { node: "osc" parameter: "q" value: 1 })", v1::NOT_FOUND, "\"q\""},
        {R"(set_parameter { node: "osc" parameter: "frequency_hz" value: 100 ramp_ms: -1 })", v1::INVALID_ARGUMENT,
         "-1"},
        {R"(set_parameter { node: "osc" parameter: "frequency_hz" value: 100 ramp_ms: nan })", v1::INVALID_ARGUMENT,
         "ramp"},
        {R"(set_parameter { node: "osc" parameter: "frequency_hz" value: 100 ramp_ms: 1e9 })", v1::INVALID_ARGUMENT,
         "ramp"},
        {R"(change_settings { node: "osc" settings { fields { key: "channels" value { number_value: 0 } } } })",
         v1::INVALID_ARGUMENT, "channels"},
        {R"(replace_graph {})", v1::INVALID_ARGUMENT, "replace_graph"},
        {"", v1::INVALID_ARGUMENT, "add_node"},
    };
    Script script;
    script.play("hello a\n" + tone());
    const std::string before = write_document(script.engine.graph().document());
    for (const Case& bad : cases) {
        SCOPED_TRACE(bad.edit);
        const std::string edits =
            std::string{
                "{ edits { edits { remove_node { name: \"vol\" } } edits { add_node { name: \"vol\" type: \"gain\" } } "
                "edits { "} +
            bad.edit + " } } }";
        for (const char* kind : {"id: 5 apply_transaction ", "id: 5 check_graph "}) {
            script.send('a', request(kind + edits));
            const auto answer = script.receive('a');
            ASSERT_TRUE(answer);
            EXPECT_EQ(answer->response().status().code(), bad.code) << sentence(answer);
            EXPECT_EQ(answer->response().status().edit_index(), 2U) << sentence(answer);
            EXPECT_NE(sentence(answer).find(bad.name), std::string::npos) << sentence(answer);
            EXPECT_EQ(answer->response().result_case(), v1::Response::RESULT_NOT_SET);
        }
        EXPECT_EQ(write_document(script.engine.graph().document()), before);
        EXPECT_EQ(script.engine.revision(), 1U);
    }
    EXPECT_EQ(script.dispatcher.hub().number(), 2U) << "a refusal is no change";
}

TEST(Transactions, ACycleIsNamedWhole) {
    Script script;
    script.play("hello a\n" + tone());
    script.send('a', request(R"(id: 5 apply_transaction { wait_for_start: true edits {
        edits { add_node { name: "first" type: "gain" } } edits { add_node { name: "second" type: "gain" } }
        edits { connect { from: "first" to: "second" } } edits { connect { from: "second" to: "first" } } } })"));
    const auto answer = script.receive('a');
    EXPECT_EQ(answer->response().status().code(), v1::FAILED_PRECONDITION);
    EXPECT_EQ(answer->response().status().edit_index(), 3U);
    EXPECT_NE(sentence(answer).find("first"), std::string::npos);
    EXPECT_NE(sentence(answer).find("second"), std::string::npos);
}

TEST(Transactions, AWholeGraphAtFaultHasNoEditIndex) {
    Script script;
    script.play("hello a");
    for (const char* content :
         {R"(graph { nodes { name: "x" type: "nothing" } })", R"(graph { connections { from: "x" to: "y" } })",
          R"(document: "{\"nodes\": [{\"name\": \"x\", \"type\": \"nothing\"}]}")", R"(document: "[")"}) {
        for (const char* kind : {"apply_transaction", "check_graph"}) {
            script.send('a', request(std::string{"id: 5 "} + kind + " { " + content + " }"));
            const auto answer = script.receive('a');
            ASSERT_TRUE(answer);
            EXPECT_NE(answer->response().status().code(), v1::OK);
            EXPECT_FALSE(answer->response().status().has_edit_index()) << sentence(answer);
        }
    }
}

TEST(Transactions, ParametersChangeAllOrNone) {
    Script script;
    script.play("hello a\n" + tone() + R"(
        a> id: 2 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 330 } changes { node: "vol" parameter: "gain_db" value: 99 } }
        a< response { id: 2 status { code: INVALID_ARGUMENT edit_index: 1 } }
        a> id: 3 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 330 } changes { node: "who" parameter: "gain_db" value: 0 } }
        a< response { id: 3 status { code: NOT_FOUND edit_index: 1 } }
        a> id: 4 set_parameters {}
        a< response { id: 4 status { code: INVALID_ARGUMENT } }
        a> id: 5 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 330 ramp_ms: nan } }
        a< response { id: 5 status { code: INVALID_ARGUMENT edit_index: 0 } }
    )");
    const GraphNode* osc = script.engine.graph().find("osc");
    ASSERT_NE(osc, nullptr);
    EXPECT_EQ(osc->parameters.at(*osc->description->layout.find_parameter("frequency_hz")), 440.0F);
    script.play(R"(
        a> id: 6 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 330 } changes { node: "vol" parameter: "gain_db" value: -3 ramp_ms: 0 } }
        a-
        block
        a< response { id: 6 set_parameters { frame: 64 } }
    )");
    EXPECT_EQ(
        script.engine.graph().find("osc")->parameters.at(*osc->description->layout.find_parameter("frequency_hz")),
        330.0F);
    EXPECT_EQ(script.engine.revision(), 1U) << "parameters take no revision";
}

TEST(Transactions, TheHostIsToldOfWhatIsCommittedAndOfNothingElse) {
    Script script;
    script.play("hello a\n" + tone());
    EXPECT_EQ(script.daemon.graph_changes, 1);
    script.play(R"(
        a> id: 2 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 220 } }
        block
        a< response { id: 2 set_parameters {} }
    )");
    EXPECT_EQ(script.daemon.graph_changes, 2);
    script.play(R"(
        a> id: 3 set_parameters { changes { node: "osc" parameter: "colour" value: 220 } }
        a< response { id: 3 status { code: NOT_FOUND } }
        a> id: 4 apply_transaction { wait_for_start: true edits { edits { remove_node { name: "missing" } } } }
        a< response { id: 4 status { code: NOT_FOUND } }
        a> id: 5 check_graph { edits {} }
        a< response { id: 5 check_graph {} }
        a> id: 6 get_status {}
        a< response { id: 6 get_status { store { directory: "/state" saved_revision: 3 error: "the disk is full" } } }
    )");
    EXPECT_EQ(script.daemon.graph_changes, 2);
}

constexpr std::string_view kTwoClientsAndACompressor = R"(
    hello a
    hello b
    a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "comp" type: "compressor" } } } }
    block
    a< response { id: 1 }
)";

/// Returns a request of `client` that changes a setting of the compressor `comp`, as transaction `id`.
std::string change(char client, int id, const std::string& setting, double value) {
    return std::string{client} + "> id: " + std::to_string(id) +
           " apply_transaction { wait_for_start: true edits { edits { change_settings { node: \"comp\" settings { fields { key: \"" +
           setting + "\" value { number_value: " + std::to_string(value) + " } } } } } } }\n";
}

TEST(Transactions, ChangedSettingsAreBuiltByAWorkerForTheGraphToWhichTheyApply) {
    Script script;
    script.play(kTwoClientsAndACompressor);
    script.workers.held = true;
    script.play(change('a', 2, "look_ahead_ms", 5.0));
    script.workers.finish(0);  // the message has been read; next, the processor is built
    ASSERT_EQ(script.workers.jobs.size(), 1U);
    script.workers.held = false;
    script.play(change('b', 1, "channels", 2.0) +
                "block\nb< response { id: 1 apply_transaction { revision: 2 } }\na-\n");
    script.workers.finish(0);  // outdated, so the processor is built again
    script.play("block\na< response { id: 2 apply_transaction { revision: 3 } }\n");
    const ResolvedSettings& settings = script.engine.graph().find("comp")->description->settings;
    EXPECT_EQ(settings.integer("channels"), 2U);
    EXPECT_EQ(settings.number("look_ahead_ms"), 5.0);
}

TEST(Transactions, SettingsThatOthersKeepChangingAreGivenUp) {
    Script script;
    script.play(kTwoClientsAndACompressor);
    script.workers.held = true;
    script.play(change('a', 2, "look_ahead_ms", 5.0));
    script.workers.finish(0);
    for (int id = 1; script.workers.jobs.size() == 1; ++id) {
        ASSERT_LE(id, 100);
        script.workers.held = false;
        script.play(change('b', id, "channels", 1.0 + id % 2) + "block\nb< response { id: " + std::to_string(id) +
                    " }\n");
        script.workers.held = true;
        script.workers.finish(0);
    }
    script.play("a< response { id: 2 status { code: ABORTED } }\n");
}

/// Adds a thousand nodes. Larger than what the control thread parses and validates itself.
v1::Request large_transaction(std::uint64_t id, bool with_cycle) {
    v1::Request request;
    request.set_id(id);
    v1::EditList& list = *request.mutable_apply_transaction()->mutable_edits();
    for (int i = 0; i < 1'000; ++i) {
        v1::Node& node = *list.add_edits()->mutable_add_node();
        node.set_name("large" + std::to_string(i));
        node.set_type("gain");
    }
    const auto connect = [&](const char* from, const char* to) {
        v1::Connection& connection = *list.add_edits()->mutable_connect();
        connection.set_from(from);
        connection.set_to(to);
    };
    connect("large1", "large2");
    if (with_cycle) connect("large2", "large1");
    return request;
}

TEST(Transactions, ALargeTransactionThatIsNotValidIsRefusedBeforeItsNodesAreBuilt) {
    Script script{rta::test::counting_nodes()};
    const std::ptrdiff_t before = rta::test::live_processors();
    script.play("hello a\n");
    script.workers.held = true;
    script.send('a', large_transaction(1, true));
    ASSERT_EQ(script.workers.jobs.size(), 1U);
    auto validated = std::move(script.workers.jobs.front());
    script.workers.jobs.clear();
    validated.work();
    EXPECT_EQ(rta::test::live_processors(), before);
    validated.done();
    script.play("a< response { id: 1 status { code: FAILED_PRECONDITION edit_index: 1001 } }\n");
}

TEST(Transactions, ALargeTransactionIsValidatedAgainstTheGraphOfItsTurn) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { edits { edits { add_node { name: "large1" type: "gain" } } } }
        a< response { id: 1 apply_transaction { revision: 1 } }
    )");
    script.workers.held = true;
    script.play("a> id: 2 apply_transaction { edits { edits { remove_node { name: \"large1\" } } } }\n");
    script.send('a', large_transaction(3, false));
    ASSERT_EQ(script.workers.jobs.size(), 1U) << "it is prepared after the small one has been committed";
    script.workers.finish(0);
    script.play("a< response { id: 2 apply_transaction { revision: 2 } }\n");
    ASSERT_EQ(script.workers.jobs.size(), 1U);
    script.workers.finish(0);
    script.play("a< response { id: 3 apply_transaction { revision: 3 } }\n");
    EXPECT_EQ(script.engine.graph().node_count(), 1'000U);
}

TEST(Transactions, ALargeMessageThatIsNotARequestEndsTheStream) {
    Script script;
    script.play("hello a\n");
    script.workers.held = true;
    script.send_bytes('a', std::string(100'000, '\xFF'));
    script.play("a-\n");
    EXPECT_FALSE(script.client('a').wants_more());
    script.workers.finish(0);
    script.play("a< response { status { code: INVALID_ARGUMENT } }\n");
    EXPECT_TRUE(script.client('a').refused());
}

TEST(Transactions, AClientMayLeaveWhileItsLargeRequestIsPrepared) {
    Script script{rta::test::counting_nodes()};
    const std::ptrdiff_t before = rta::test::live_processors();
    script.play("hello a\nhello b\nhello c\n");
    script.workers.held = true;
    for (const char client : {'a', 'b', 'c'}) script.send(client, large_transaction(1, false));
    ASSERT_EQ(script.workers.jobs.size(), 1U) << "one request of all clients at a time";
    script.disconnect('a');
    script.disconnect('b');
    script.workers.finish(0);
    EXPECT_EQ(script.engine.graph().node_count(), 0U);
    while (!script.workers.jobs.empty()) script.workers.finish(script.workers.jobs.size() - 1);
    EXPECT_EQ(rta::test::live_processors(), before + 1'000) << "those of the third client";
    EXPECT_EQ(script.engine.graph().node_count(), 1'000U);
}

/// Prepared requests take memory: there is never more than one that is large.
TEST(Transactions, TheNextLargeTransactionIsParsedWhenTheTurnOfTheOneBeforeIsOver) {
    Script script;
    script.play(kTwoClientsAndACompressor);
    for (int id = 1; id <= 16; ++id) {
        script.play("b> id: " + std::to_string(id) + " apply_transaction { edits { edits { add_node { name: \"n" +
                    std::to_string(id) + "\" type: \"gain\" } } } }\n");
    }
    v1::Request waits = large_transaction(17, false);
    waits.set_timeout_ms(60'000);
    script.workers.held = true;
    script.send('a', waits);
    script.workers.finish(0);
    script.play("a-\n");
    const std::size_t jobs = script.workers.jobs.size();  // they free memory
    script.send('b', large_transaction(18, true));
    EXPECT_EQ(script.workers.jobs.size(), jobs) << "the engine has no room for the first";
    script.tick(std::chrono::milliseconds{1'000});
    const auto refused = script.receive('a');
    EXPECT_NE(sentence(refused).find("within 1000 ms (large requests wait no longer)"), std::string::npos)
        << sentence(refused);
    ASSERT_FALSE(script.workers.jobs.empty());
    while (!script.workers.jobs.empty()) script.workers.finish(0);
    while (const auto answer = script.receive('b')) {
        if (answer->response().id() == 18) return;
    }
    ADD_FAILURE() << "the second is not answered";
}

/// The large requests of other clients wait for one that has been parsed.
TEST(Transactions, ALargeTransactionWaitsForTheAnswersOfItsClientBeforeItIsParsed) {
    Script script;
    script.play(kTwoClientsAndACompressor);
    for (std::size_t id = 1; id <= Client::kMaximumWaits; ++id) {
        script.send('a', request("id: " + std::to_string(id) +
                                 " apply_transaction { wait_for_start: true edits { edits { add_node { name: \"n" +
                                 std::to_string(id) + "\" type: \"gain\" } } } }"));
        script.dispatcher.tick();
    }
    script.workers.held = true;
    script.send('a', large_transaction(1'000, false));
    EXPECT_TRUE(script.workers.jobs.empty());
    script.send('b', large_transaction(1, true));
    EXPECT_EQ(script.workers.jobs.size(), 1U);
    script.workers.held = false;
    script.workers.finish(0);
    script.play("b< response { id: 1 status { code: FAILED_PRECONDITION } }\n");
    for (int i = 0; i < 100; ++i) script.block();
    std::uint64_t last = 0;
    while (const auto answer = script.receive('a')) last = answer->response().id();
    EXPECT_EQ(last, 1'000U);
}

TEST(Transactions, AClientThatDoesNotReadHoldsBackNoLargeTransactionOfAnother) {
    Script script;
    script.play(kTwoClientsAndACompressor);
    script.play("a> id: 2 list_devices {}\n");
    v1::Request padded = request("id: 3 get_status {}");
    v1::Request::GetReflection()->MutableUnknownFields(&padded)->AddLengthDelimited(1'000, std::string(20'000, ' '));
    script.send('a', padded);
    script.send('b', large_transaction(1, true));
    script.play("a-\nb< response { id: 1 status { code: FAILED_PRECONDITION } }\n");
}

TEST(Transactions, ALargeTransactionIsNotAppliedAgainForLongerThanTwoSeconds) {
    Script script;
    script.play(kTwoClientsAndACompressor);
    v1::Request large = large_transaction(2, false);
    large.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_remove_node()->set_name("comp");
    script.workers.held = true;
    script.send('a', large);
    int attempts = 0;
    for (int id = 1; !script.workers.jobs.empty(); ++id) {
        ASSERT_LE(id, 100);
        script.workers.held = false;
        script.play(change('b', id, "channels", 1.0 + id % 2) + "block\nb< response { id: " + std::to_string(id) +
                    " }\n");
        script.tick(std::chrono::milliseconds{900});
        script.workers.held = true;
        for (std::size_t left = script.workers.jobs.size(); left > 0; --left) script.workers.finish(0);
        ++attempts;
    }
    script.play("a< response { id: 2 status { code: ABORTED } }\n");
    EXPECT_LE(attempts, 5);
}

TEST(Transactions, ARequestThatIsBeingBuiltDoesNotExpire) {
    Script script;
    script.play(kTwoClientsAndACompressor);
    for (int id = 1; id <= 16; ++id) {
        script.play("b> id: " + std::to_string(id) + " apply_transaction { edits { edits { add_node { name: \"n" +
                    std::to_string(id) + "\" type: \"gain\" } } } }\n");
    }
    script.play(change('a', 2, "look_ahead_ms", 5.0));  // waits for room
    script.workers.held = true;
    script.play("block\n");
    ASSERT_EQ(script.workers.jobs.size(), 1U) << "its processor is being built";
    script.client('a').expire(script.now + std::chrono::seconds{10});
    script.play("a-\n");
    script.workers.finish(0);
    script.play("block\na< response { id: 2 apply_transaction {} }\n");
    script.play("a> id: 3 get_status {}\na< response { id: 3 get_status {} }\n");
}

TEST(Transactions, WhoseOwnPortsWaitHoldsBackNoOther) {
    Script script;
    script.play(R"(
        hello a
        hello b
        a> id: 1 apply_transaction { document: "{\"nodes\": [{\"name\": \"s\", \"type\": \"constant\"}, {\"name\": \"comp\", \"type\": \"compressor\"}, {\"name\": \"o\", \"type\": \"output\"}, {\"name\": \"p\", \"type\": \"output\"}], \"connections\": [{\"from\": \"s\", \"to\": \"comp\"}, {\"from\": \"comp\", \"to\": \"o\"}, {\"from\": \"s\", \"to\": \"p\"}]}" }
        a< response { id: 1 apply_transaction { revision: 1 } }
        block
    )");
    const auto change_look_ahead = [](int id, double ms) {
        return "a> id: " + std::to_string(id) +
               " timeout_ms: 60000 apply_transaction { edits { edits { change_settings { node: \"comp\" settings { fields { key: "
               "\"look_ahead_ms\" value { number_value: " +
               std::to_string(ms) + " } } } } } } }\n";
    };
    // Each of them is refused if it would delay the first.
    int id = 2;
    std::optional<v1::ServerMessage> answer;
    do {
        script.play(change_look_ahead(id, 20.0 + id % 2) + "block\n");
        answer = script.receive('a');
        ASSERT_LT(++id, 200);
    } while (answer);
    // Another client's transaction is committed immediately, and takes effect in time.
    script.play(R"(
        b> id: 1 apply_transaction { wait_for_start: true edits { edits { disconnect { from: "s" to: "p" } } } }
        block
        b< response { id: 1 apply_transaction { starts_within_ms: 0 } }
        a-
    )");
    for (int i = 0; i < 200 && !answer; ++i) {
        script.block();
        answer = script.receive('a');
    }
    ASSERT_TRUE(answer);
    EXPECT_NE(answer->response().apply_transaction().revision(), 0U) << "and the first is not starved";
}

TEST(Transactions, AreAnsweredAfterTheCommitUnlessTheyWaitForTheirStart) {
    Script script;
    script.play(R"(
        hello a
        hello b
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        a> id: 1 apply_transaction { document: "{\"nodes\": [{\"name\": \"s\", \"type\": \"constant\"}, {\"name\": \"o\", \"type\": \"output\"}], \"connections\": [{\"from\": \"s\", \"to\": \"o\"}]}" }
        a< response { id: 1 apply_transaction { revision: 1 } }
        b< event { number: 1 graph_changed { revision: 1 } }
        b-
        block
        b< event { number: 2 transaction_heard { revision: 1 } }
        a> id: 2 apply_transaction { edits { edits { disconnect { from: "s" to: "o" } } } }
        a< response { id: 2 apply_transaction { revision: 2 } }
        b< event { number: 3 graph_changed { revision: 2 } }
        block
        b< event { number: 4 transaction_heard { revision: 2 frame: 64 } }
        a> id: 3 apply_transaction { wait_for_start: true edits { edits { connect { from: "s" to: "o" } } } }
        a> id: 4 get_status {}
        b< event { number: 5 graph_changed { revision: 3 } }
        block
        a-
        block
        block
        block
        block
        block
        block
        block
        block
        a< response { id: 3 apply_transaction { revision: 3 frame: 576 starts_within_ms: 93 } }
        a< response { id: 4 get_status {} }
        b< event { number: 6 transaction_heard { revision: 3 frame: 576 } }
    )");
}

}  // namespace
}  // namespace rta::api::test
