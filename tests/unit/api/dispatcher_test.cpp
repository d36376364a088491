// SPDX-License-Identifier: MIT
// What each request is answered, and what everybody else is told of it.
#include <gtest/gtest.h>

#include <limits>

#include "document/document.h"
#include "script.h"

namespace rta::api::test {
namespace {

/// osc -> vol -> out, heard, asked for by client `a`.
std::string tone(char client = 'a') {
    const std::string name{client};
    return name + R"(> id: 1 apply_transaction { edits { )" + R"(edits { add_node { name: "osc" type: "sine" } } )" +
           R"(edits { add_node { name: "vol" type: "gain" } } )" +
           R"(edits { add_node { name: "out" type: "output" settings { fields { key: "channels" value { number_value: 2 } } } } } )" +
           R"(edits { connect { from: "osc" to: "vol" } } )" + R"(edits { connect { from: "vol" to: "out" } } } })" +
           "\nblock\n" + name + "< response { id: 1 apply_transaction { revision: 1 frame: 0 } }\n";
}

std::string sentence(const std::optional<v1::ServerMessage>& message) {
    return message ? message->response().status().message() : "no answer";
}

TEST(Dispatcher, HelloComesFirst) {
    Script script;
    script.play(R"(
        a> id: 1 get_status {}
        a< response { id: 1 status { code: FAILED_PRECONDITION } }
        a> id: 2 set_parameters { changes { node: "x" } }
        a< response { id: 2 status { code: FAILED_PRECONDITION } }
        a> id: 3 apply_transaction { edits {} }
        a< response { id: 3 status { code: FAILED_PRECONDITION } }
        a> id: 4 hello { protocol_version: 1 client_name: "me" }
        a< response { id: 4 hello { protocol_version: 1 } }
        a> id: 5 get_status {}
        a< response { id: 5 get_status { client_count: 1 } }
    )");
    EXPECT_EQ(script.engine.revision(), 0U);
    EXPECT_EQ(script.client('a').client_name(), "me");
}

TEST(Dispatcher, ARefusalBeforeHelloSaysWhatToDo) {
    Script script;
    script.send('a', request("id: 1 get_graph {}"));
    EXPECT_NE(sentence(script.receive('a')).find("hello"), std::string::npos);
}

TEST(Dispatcher, AWrongVersionIsExplainedAndTheRightOneTaken) {
    Script script;
    script.send('a', request("id: 1 hello { protocol_version: 2 }"));
    const auto answer = script.receive('a');
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->response().status().code(), v1::FAILED_PRECONDITION);
    EXPECT_NE(sentence(answer).find("version 2"), std::string::npos);
    EXPECT_NE(sentence(answer).find("speaks version 1"), std::string::npos);
    script.play(R"(
        a> id: 2 hello {}
        a< response { id: 2 status { code: FAILED_PRECONDITION } }
        hello a
    )");
}

TEST(Dispatcher, HelloIsSaidOnceAndWithAPrintableName) {
    Script script;
    v1::Request long_name = request("id: 2 hello { protocol_version: 1 }");
    long_name.mutable_hello()->set_client_name(std::string(129, 'n'));
    script.send('a', long_name);
    script.play(R"(
        a< response { id: 2 status { code: INVALID_ARGUMENT } }
        a> id: 1 hello { protocol_version: 1 client_name: "red\033[31m" }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        a> id: 1 hello { protocol_version: 1 client_name: "red\302\23331m" }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        a> id: 1 hello { protocol_version: 1 client_name: "turned\342\200\256" }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        a> id: 1 hello { protocol_version: 1 client_name: "two\342\200\250lines" }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        hello a
        a> id: 3 hello { protocol_version: 1 }
        a< response { id: 3 status { code: FAILED_PRECONDITION } }
        a> id: 4 get_graph {}
        a< response { id: 4 get_graph {} }
    )");
}

TEST(Dispatcher, ATransactionIsAnsweredWhenItIsHeard) {
    Script script;
    script.play(R"(
        hello a
        block
        block
        a> id: 7 apply_transaction { edits { edits { add_node { name: "osc" type: "sine" } } } }
        a-
        tick 1
        a-
        block
        a< response { id: 7 apply_transaction { revision: 1 frame: 128 } }
        a-
    )");
}

TEST(Dispatcher, ATransactionWithoutEditsTakesARevisionToo) {
    Script script;
    script.play(R"(
        hello a
        a> id: 7 apply_transaction { edits {} }
        block
        a< response { id: 7 apply_transaction { revision: 1 } }
    )");
}

TEST(Dispatcher, AGraphComesAsMessageOrAsDocument) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { graph { nodes { name: "osc" type: "sine" parameters { key: "frequency_hz" value: 220 } } nodes { name: "out" type: "output" } connections { from: "osc" to: "out" gain_db: -6 } } }
        block
        a< response { id: 1 apply_transaction { revision: 1 } }
        a> id: 2 apply_transaction { document: "{\"nodes\": [{\"name\": \"c\", \"type\": \"constant\"}], \"connections\": []}" }
        block
        a< response { id: 2 apply_transaction { revision: 2 } }
    )");
    EXPECT_EQ(script.engine.graph().node_count(), 1U);
    EXPECT_NE(script.engine.graph().find("c"), nullptr);
}

TEST(Dispatcher, TheGraphIsToldAsMessageAndAsText) {
    Script script;
    script.play("hello a\n" + tone() + R"(
        a> id: 2 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 330 } }
        block
        a< response { id: 2 set_parameters { frame: 64 } }
    )");
    script.send('a', request("id: 3 get_graph {}"));
    const auto answer = script.receive('a');
    ASSERT_TRUE(answer);
    const v1::GraphResult& result = answer->response().get_graph();
    EXPECT_EQ(result.revision(), 1U);
    EXPECT_EQ(result.change_number(), 3U);  // the graph, that it is heard, the parameter
    EXPECT_EQ(result.document(), write_document(script.engine.graph().document()));
    const auto read = to_document(result.graph());
    ASSERT_TRUE(read);
    EXPECT_EQ(write_document(*read), result.document());
    EXPECT_NE(result.document().find("330"), std::string::npos);
}

// ---------------------------------------------------------------------------------------------------------------------
// Bad input

TEST(Dispatcher, TheGraphIsToldInOneFormOrOfSomeNodes) {
    Script script;
    script.play("hello a\n" + tone());
    const auto ask = [&](std::string_view text) {
        script.send('a', request(text));
        return script.receive('a')->response();
    };
    const v1::GraphResult message = ask("get_graph { content: GRAPH_CONTENT_MESSAGE }").get_graph();
    EXPECT_EQ(message.graph().nodes_size(), 3);
    EXPECT_TRUE(message.document().empty());
    EXPECT_EQ(message.revision(), 1U);
    const v1::GraphResult document = ask("get_graph { content: GRAPH_CONTENT_DOCUMENT }").get_graph();
    EXPECT_FALSE(document.has_graph());
    EXPECT_EQ(document.document(), write_document(script.engine.graph().document()));
    const v1::GraphResult some = ask("get_graph { nodes: 'osc' nodes: 'osc' }").get_graph();
    ASSERT_EQ(some.graph().nodes_size(), 1);
    EXPECT_EQ(some.graph().nodes(0).name(), "osc");
    EXPECT_EQ(some.graph().connections_size(), 1);
    EXPECT_TRUE(some.document().empty());
    const v1::Status missing = ask("get_graph { nodes: 'osc' nodes: 'ocs' }").status();
    EXPECT_EQ(missing.code(), v1::NOT_FOUND);
    EXPECT_TRUE(missing.message().find("did you mean \"osc\"?") != std::string::npos) << missing.message();
    EXPECT_EQ(ask("get_graph { content: GRAPH_CONTENT_DOCUMENT nodes: 'osc' }").status().code(), v1::INVALID_ARGUMENT);
    v1::Request unknown = request("get_graph {}");
    unknown.mutable_get_graph()->set_content(static_cast<v1::GraphContent>(9));
    script.send('a', unknown);
    EXPECT_EQ(script.receive('a')->response().status().code(), v1::INVALID_ARGUMENT);
}

TEST(Dispatcher, AGraphThatDoesNotFitIsToldByParts) {
    Script script;
    script.play("hello a");
    for (const char group : {'a', 'b'}) {
        v1::Request large = request("id: 1 apply_transaction { edits {} }");
        for (int i = 0; i < 18'000; ++i) {
            v1::Node& node = *large.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_add_node();
            node.set_name(std::string(1, group) + "_node_with_a_name_" + std::to_string(i));
            node.set_type("gain");
        }
        script.send('a', large);
        script.block();
        ASSERT_EQ(script.receive('a')->response().status().code(), v1::OK);
    }
    script.play(R"(
        a> id: 2 get_graph {}
        a< response { id: 2 status { code: RESOURCE_EXHAUSTED } }
    )");
    script.send('a', request("get_graph {}"));
    const std::string sentence = script.receive('a')->response().status().message();
    EXPECT_TRUE(sentence.find("GRAPH_CONTENT_MESSAGE") != std::string::npos) << sentence;
    script.send('a', request("get_graph { content: GRAPH_CONTENT_MESSAGE }"));
    EXPECT_EQ(script.receive('a')->response().get_graph().graph().nodes_size(), 36'000);
}

TEST(Dispatcher, EveryBadEditIsRefusedByIndexAndChangesNothing) {
    struct Case {
        const char* edit;
        v1::Code code;
        const char* name;  ///< must be in the sentence
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
        {R"(remove_node { name: "nobody" })", v1::NOT_FOUND, "nobody"},
        {R"(connect { from: "nobody" to: "vol" })", v1::NOT_FOUND, "nobody"},
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

TEST(Dispatcher, ACycleIsNamedWhole) {
    Script script;
    script.play("hello a\n" + tone());
    script.send('a', request(R"(id: 5 apply_transaction { edits {
        edits { add_node { name: "first" type: "gain" } } edits { add_node { name: "second" type: "gain" } }
        edits { connect { from: "first" to: "second" } } edits { connect { from: "second" to: "first" } } } })"));
    const auto answer = script.receive('a');
    EXPECT_EQ(answer->response().status().code(), v1::FAILED_PRECONDITION);
    EXPECT_EQ(answer->response().status().edit_index(), 3U);
    EXPECT_NE(sentence(answer).find("first"), std::string::npos);
    EXPECT_NE(sentence(answer).find("second"), std::string::npos);
}

TEST(Dispatcher, AWholeGraphAtFaultHasNoEditIndex) {
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

TEST(Dispatcher, AnUnknownRequestIsUnimplementedAndNamesItsField) {
    Script script;
    script.play("hello a");
    v1::Request unknown = request("id: 9");
    v1::Request::GetReflection()->MutableUnknownFields(&unknown)->AddLengthDelimited(99, "from the future");
    script.send('a', unknown);
    const auto answer = script.receive('a');
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->response().id(), 9U);
    EXPECT_EQ(answer->response().status().code(), v1::UNIMPLEMENTED);
    EXPECT_NE(sentence(answer).find("99"), std::string::npos) << sentence(answer);
    for (const char* const known : {"hello", "check_graph", "subscribe", "mute_output", "panic"}) {
        EXPECT_NE(sentence(answer).find(known), std::string::npos) << sentence(answer);
    }
    script.play(R"(
        a> id: 10
        a< response { id: 10 status { code: UNIMPLEMENTED } }
        a> id: 11 get_status {}
        a< response { id: 11 get_status {} }
    )");
}

TEST(Dispatcher, BytesThatAreNoRequestEndTheConnectionAfterWhatCameBefore) {
    Script script;
    script.play(R"(
        hello a
        hello b
        a> id: 1 apply_transaction { edits {} }
    )");
    script.send_bytes('a', "\xFF\xFF\xFF");
    EXPECT_TRUE(script.client('a').refused());
    EXPECT_FALSE(script.client('a').wants_more());
    EXPECT_FALSE(script.client('a').idle()) << "the transaction is still to be answered";
    script.play(R"(
        a-
        block
        a< response { id: 1 apply_transaction { revision: 1 } }
        a< response { id: 0 status { code: INVALID_ARGUMENT } }
        b> id: 1 get_status {}
        b< response { id: 1 get_status {} }
    )");
    EXPECT_TRUE(script.client('a').idle());
}

TEST(Dispatcher, AStringThatIsNotUtf8IsNoRequest) {
    Script script;
    script.play("hello a");
    v1::Request bad = request("id: 1 list_node_types { type: \"abc\" }");
    std::string bytes = bad.SerializeAsString();
    bytes.replace(bytes.find("abc"), 3, "\xC3\x28\xFF");
    script.send_bytes('a', bytes);
    script.play("a< response { id: 0 status { code: INVALID_ARGUMENT } }");
}

/// Two bytes on the wire, and much more in memory.
std::string empty_elements(std::string_view head_of_list, int count) {
    std::string list;
    for (int i = 0; i < count; ++i) list += head_of_list;
    return list;
}

/// A field of bytes, as a message within a message is one.
std::string field(int number, const std::string& bytes) {
    std::string out{static_cast<char>(number << 3 | 2)};
    append_frame(out, bytes);
    return out;
}

TEST(Dispatcher, EndlessListsAreRefusedBeforeTheyTakeMemory) {
    Script script;
    script.play("hello a");
    const std::string two_million = empty_elements(std::string{"\x0A\0", 2}, 2'000'000);
    const auto expect_refused = [&](const std::string& content, const std::string& sentence) {
        script.send_bytes('a', content + std::string{"\x08\x07"});
        const auto answer = script.receive('a');
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->response().id(), 7U);
        EXPECT_EQ(answer->response().status().code(), v1::INVALID_ARGUMENT);
        EXPECT_EQ(answer->response().status().message(), sentence);
    };
    const std::string many = " holds 2000000 of them; the most is 65536";
    expect_refused(field(8, field(1, two_million)), "the list of edits" + many);
    expect_refused(field(8, field(2, two_million)), "the list of nodes" + many);
    expect_refused(field(9, two_million), "the list of changes" + many);
    expect_refused(field(14, two_million), "the list of nodes" + many);
    // Lists in lists, none of them too long: settings { fields { value { list_value { values... } } } }.
    const std::string values = empty_elements(std::string{"\x0A\0", 2}, 60'000);
    std::string fields;
    for (char name = 'a'; name < 'k'; ++name) {
        fields += field(1, field(1, std::string(1, name)) + field(2, field(6, values)));
    }
    expect_refused(field(8, field(1, field(1, field(1, field(3, fields))))),
                   "the lists of the request hold more than 524288 elements together, which is the most");
    script.play(R"(
        a> id: 4 get_graph {}
        a< response { id: 4 status { code: OK } }
    )");
}

TEST(Dispatcher, WhatARequestTakesInMemoryCountsAsPending) {
    Script script;
    script.play("hello a");
    script.workers.held = true;
    v1::Request large = request("id: 1 apply_transaction { edits {} }");
    for (int i = 0; i < 60'000; ++i) {
        large.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_add_node()->mutable_settings();
    }
    EXPECT_LT(large.ByteSizeLong(), std::size_t{1} << 20U);
    script.send('a', large);
    EXPECT_FALSE(script.client('a').wants_more());
    script.workers.held = false;
    script.workers.finish(0);
    EXPECT_TRUE(script.receive('a'));
    EXPECT_TRUE(script.client('a').wants_more());
}

TEST(Dispatcher, TimeoutsOutOfRangeAreRefused) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 timeout_ms: 0 get_status {}
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        a> id: 2 timeout_ms: 60001 get_status {}
        a< response { id: 2 status { code: INVALID_ARGUMENT } }
        a> id: 3 timeout_ms: 60000 get_status {}
        a< response { id: 3 get_status {} }
    )");
}

// ---------------------------------------------------------------------------------------------------------------------
// Parameters

TEST(Dispatcher, ParametersChangeAllOrNone) {
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

// ---------------------------------------------------------------------------------------------------------------------
// Looking

TEST(Dispatcher, CheckGraphTellsSizesAndCommitsNothing) {
    Script script;
    script.play("hello a\n" + tone() + R"(
        a> id: 2 check_graph { edits { edits { remove_node { name: "vol" } } edits { connect { from: "osc" to: "out" } } } }
        a< response { id: 2 check_graph { node_count: 2 connection_count: 1 } }
        a> id: 3 check_graph { document: "{\"nodes\": [{\"name\": \"c\", \"type\": \"constant\"}]}" }
        a< response { id: 3 check_graph { node_count: 1 } }
        a> id: 4 check_graph {}
        a< response { id: 4 status { code: INVALID_ARGUMENT } }
    )");
    EXPECT_EQ(script.engine.graph().node_count(), 3U);
    EXPECT_EQ(script.engine.revision(), 1U);
    EXPECT_EQ(script.dispatcher.hub().number(), 2U);
}

TEST(Dispatcher, TheHostIsToldOfWhatIsCommittedAndOfNothingElse) {
    Script script;
    script.play("hello a\n" + tone());
    EXPECT_EQ(script.host.graph_changes, 1);
    script.play(R"(
        a> id: 2 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 220 } }
        block
        a< response { id: 2 set_parameters {} }
    )");
    EXPECT_EQ(script.host.graph_changes, 2);
    script.play(R"(
        a> id: 3 set_parameters { changes { node: "osc" parameter: "colour" value: 220 } }
        a< response { id: 3 status { code: NOT_FOUND } }
        a> id: 4 apply_transaction { edits { edits { remove_node { name: "nobody" } } } }
        a< response { id: 4 status { code: NOT_FOUND } }
        a> id: 5 check_graph { edits {} }
        a< response { id: 5 check_graph {} }
        a> id: 6 get_status {}
        a< response { id: 6 get_status { store { directory: "/state" saved_revision: 3 error: "the disk is full" } } }
    )");
    EXPECT_EQ(script.host.graph_changes, 2);
}

TEST(Dispatcher, StatusTellsDeviceRealtimeAndEngine) {
    Script script;
    script.host.device.fallback_reason = "hw:0 is busy";
    script.host.device.callback_frames = 256;
    script.host.device.xruns = 3;
    script.host.realtime.scheduling.detail = "not permitted";
    script.play("hello a\nhello b\n" + tone() + R"(
        tick 2500
        a> id: 2 get_status {}
        a< response { id: 2 get_status { server_version: "0.1.0" uptime_s: 2.5 device { kind: "null" name: "out.wav" running: true fallback_reason: "hw:0 is busy" sample_rate_hz: 48000 callback_frames: 256 xruns: 3 } realtime { memory_locked: true scheduling: "SCHED_OTHER" scheduling_detail: "not permitted" } engine { block_size_frames: 64 frame: 64 revision: 1 change_number: 2 node_count: 3 connection_count: 2 plans_made: 1 plans_alive: 1 } client_count: 2 } }
    )");
    script.disconnect('b');
    script.play(R"(
        a> id: 3 get_status {}
        a< response { id: 3 get_status { client_count: 1 } }
    )");
}

TEST(Dispatcher, AFrequencyResponseIsThatOfTheParametersOfNow) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { edits { edits { add_node { name: "low" type: "biquad_filter" parameters { key: "frequency_hz" value: 1000 } } } edits { add_node { name: "osc" type: "sine" } } } }
        block
        a< response { id: 1 apply_transaction { revision: 1 } }
        a> id: 2 get_frequency_response { node: "osc" }
        a< response { id: 2 status { code: FAILED_PRECONDITION } }
        a> id: 3 get_frequency_response { node: "lo" }
        a< response { id: 3 status { code: NOT_FOUND } }
        a> id: 4 get_frequency_response { node: "low" frequencies_hz: 24000 }
        a< response { id: 4 status { code: INVALID_ARGUMENT } }
        a> id: 5 get_frequency_response { node: "low" frequencies_hz: 0 }
        a< response { id: 5 status { code: INVALID_ARGUMENT } }
    )");
    v1::Request many = request("id: 5 get_frequency_response { node: \"low\" }");
    many.mutable_get_frequency_response()->mutable_frequencies_hz()->Resize(2'049, 1'000.0F);
    script.send('a', many);
    const auto refused = script.receive('a');
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->response().status().code(), v1::INVALID_ARGUMENT);
    EXPECT_EQ(refused->response().status().message(), "2049 frequencies_hz are too many: at most 2048");

    // A Butterworth low-pass is 3.01 dB down at its corner, and 90 degrees late.
    script.send('a', request("id: 6 get_frequency_response { node: \"low\" frequencies_hz: [10, 1000, 2000] }"));
    const auto answer = script.receive('a');
    ASSERT_TRUE(answer);
    const v1::FrequencyResponseResult& result = answer->response().get_frequency_response();
    EXPECT_EQ(result.sample_rate_hz(), 48'000.0);
    ASSERT_EQ(result.outputs_size(), 1);
    EXPECT_EQ(result.outputs(0).port(), "out");
    ASSERT_EQ(result.outputs(0).magnitude_db_size(), 3);
    EXPECT_NEAR(result.outputs(0).magnitude_db(0), 0.0, 1e-3);
    EXPECT_NEAR(result.outputs(0).magnitude_db(1), -3.0103, 1e-3);
    EXPECT_NEAR(result.outputs(0).phase_deg(1), -90.0, 0.01);

    script.send('a',
                request("id: 7 set_parameters { changes { node: \"low\" parameter: \"frequency_hz\" value: 2000 } }"));
    script.send('a', request("id: 8 get_frequency_response { node: \"low\" frequencies_hz: 2000 }"));
    script.send('a', request("id: 9 set_parameters { changes { node: \"low\" parameter: \"bypass\" value: 1 } }"));
    script.send('a', request("id: 10 get_frequency_response { node: \"low\" }"));
    script.block();
    script.block();
    ASSERT_TRUE(script.receive('a'));
    const auto moved = script.receive('a');
    ASSERT_TRUE(moved);
    EXPECT_NEAR(moved->response().get_frequency_response().outputs(0).magnitude_db(0), -3.0103, 1e-3);
    ASSERT_TRUE(script.receive('a'));
    const auto bypassed = script.receive('a');
    ASSERT_TRUE(bypassed);
    const auto& flat = bypassed->response().get_frequency_response();
    EXPECT_EQ(flat.frequencies_hz_size(), 961);
    EXPECT_NEAR(flat.frequencies_hz(0), 20.0, 1e-4);
    EXPECT_NEAR(flat.frequencies_hz(960), 20'000.0, 0.1);
    for (const float magnitude_db : flat.outputs(0).magnitude_db()) EXPECT_EQ(magnitude_db, 0.0F);
}

TEST(Dispatcher, NodeTypesComeFromTheRegistry) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 list_node_types { type: "sine" }
        a< response { id: 1 list_node_types { types { name: "sine" parameters { name: "frequency_hz" unit: "Hz" } parameters { name: "gain_db" unit: "dB" minimum: -120 } outputs { name: "out" } } } }
    )");
    script.send('a', request("id: 2 list_node_types {}"));
    const auto all = script.receive('a');
    ASSERT_TRUE(all);
    const auto& types = all->response().list_node_types().types();
    ASSERT_EQ(static_cast<std::size_t>(types.size()), builtin_nodes().types().size());
    EXPECT_TRUE(std::ranges::is_sorted(types, {}, [](const v1::NodeType& type) { return type.name(); }));
    script.send('a', request("id: 3 list_node_types { type: \"sinne\" }"));
    const auto unknown = script.receive('a');
    EXPECT_EQ(unknown->response().status().code(), v1::NOT_FOUND);
    EXPECT_NE(sentence(unknown).find("sinne"), std::string::npos);
    EXPECT_NE(sentence(unknown).find("sine"), std::string::npos) << "what would be right";
}

TEST(Dispatcher, DevicesAreAskedForOnceForEverybodyWhoWaits) {
    Script script;
    script.play(R"(
        hello a
        hello b
        a> id: 1 list_devices {}
        b> id: 1 list_devices {}
        a-
        a> id: 2 get_status {}
        a-
    )");
    ASSERT_EQ(script.host.looks.size(), 1U);
    script.host.looks.front()({{.name = "ALSA/hw:0", .channels_out = 2, .default_output = true}});
    script.play(R"(
        a< response { id: 1 list_devices { devices { name: "ALSA/hw:0" channels_out: 2 default_output: true } } }
        a< response { id: 2 get_status {} }
        b< response { id: 1 list_devices { devices { name: "ALSA/hw:0" } } }
        b> id: 2 list_devices {}
    )");
    EXPECT_EQ(script.host.looks.size(), 2U) << "the next one looks again";
}

TEST(Dispatcher, DevicesThatNeverComeAreGivenUp) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 list_devices {}
        tick 9999
        a-
        tick 1
        a< response { id: 1 status { code: DEADLINE_EXCEEDED } }
    )");
    script.host.looks.front()({});  // too late for anybody, and no harm
    script.play("a-");
}

// ---------------------------------------------------------------------------------------------------------------------
// Events

TEST(Dispatcher, SubscribersAreToldOfEveryChangeTheAuthorIncluded) {
    Script script;
    script.play(R"(
        hello a
        hello b
        hello c
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 subscribe { } }
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe { } }
        a> id: 2 apply_transaction { edits { edits { add_node { name: "osc" type: "sine" } } } }
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

TEST(Dispatcher, SubscriptionBeginsAtTheNumberThatItsAnswerTells) {
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
        a> id: 2 apply_transaction { edits {} }
        b< event { number: 3 graph_changed { revision: 2 } }
        b-
    )");
}

TEST(Dispatcher, AReplacedGraphIsToldAsOneEditWhateverFormItCameIn) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 subscribe {} }
        a> id: 2 apply_transaction { document: "{\"nodes\": [{\"name\": \"c\", \"type\": \"constant\", \"parameters\": {\"value\": 0.5}}]}" }
        a< event { number: 1 graph_changed { revision: 1 edits { replace_graph { nodes { name: "c" type: "constant" parameters { key: "value" value: 0.5 } } } } } }
        block
        a< response { id: 2 apply_transaction { revision: 1 } }
        a< event { number: 2 transaction_heard { revision: 1 } }
        a> id: 3 apply_transaction { graph { nodes { name: "d" type: "gain" } } }
        a< event { number: 3 graph_changed { revision: 2 edits { replace_graph { nodes { name: "d" type: "gain" } } } } }
    )");
}

TEST(Dispatcher, UnknownTopicsAreRefused) {
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

TEST(Dispatcher, TheEventsRebuildTheGraph) {
    Script author;
    author.play(R"(
        hello a
        hello b
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
    )" + tone() +
                R"(
        a> id: 2 set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 330 } }
        a> id: 3 apply_transaction { edits { edits { add_node { name: "trim" type: "gain" } } edits { disconnect { from: "osc" to: "vol" } } edits { connect { from: "osc" to: "trim" } } edits { connect { from: "trim" to: "vol" gain_db: -1 } } } }
        a> id: 4 apply_transaction { edits { edits { change_settings { node: "out" settings { fields { key: "channels" value { number_value: 1 } } } } } } }
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

TEST(Dispatcher, DeviceChangesAreTold) {
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

TEST(Dispatcher, AFaultedNodeIsNamed) {
    const NodeType* types[] = {&kBroken, builtin_nodes().find("output")};
    const NodeRegistry registry{types};
    Script script{registry};
    script.play(R"(
        hello a
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 subscribe {} }
        a> id: 2 apply_transaction { edits { edits { add_node { name: "bad" type: "broken" } } edits { add_node { name: "out" type: "output" } } edits { connect { from: "bad" to: "out" } } } }
        a< event { number: 1 graph_changed { revision: 1 } }
        block
        a< response { id: 2 apply_transaction { revision: 1 } }
        a< event { number: 2 transaction_heard { revision: 1 } }
    )");
    std::vector<std::string> logged;
    script.dispatcher.on_node_fault([&](const std::string& node) { logged.push_back(node); });
    // When it is noticed is the engine's business; that it is told, once, is ours.
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

TEST(Dispatcher, NobodyIsToldAnythingAfterItsConnectionIsClosed) {
    Script script;
    script.play(R"(
        hello a
        hello b
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        b> id: 2 apply_transaction { edits {} }
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

TEST(Dispatcher, ASubscriberThatDoesNotReadIsGivenUpAndTheOthersAreNot) {
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
    v1::Request large = request("id: 2 apply_transaction { graph {} }");
    for (int i = 0; i < 10'000; ++i) {
        v1::Node& node = *large.mutable_apply_transaction()->mutable_graph()->add_nodes();
        node.set_name("node_with_a_long_name_" + std::to_string(i));
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
    EXPECT_LE(script.client('b').outbox().unsent_bytes(), Outbox::kEventLimitBytes + 100);
    EXPECT_TRUE(script.client('c').lost().empty());
    EXPECT_TRUE(script.client('a').lost().empty());
}

TEST(Dispatcher, FadeOutTellsItsEnd) {
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
