// SPDX-License-Identifier: MIT
// Requests that only read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <numbers>
#include <string>

#include "api/requests/transaction.h"
#include "document/document.h"
#include "script.h"

namespace rta::api::test {
namespace {

TEST(Queries, TheGraphIsToldAsMessageAndAsText) {
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
    EXPECT_EQ(result.change_number(), 3U);  // of the graph, its start and the parameter
    EXPECT_EQ(result.document(), write_document(script.engine.graph().document()));
    const auto read = to_document(result.graph());
    ASSERT_TRUE(read);
    EXPECT_EQ(write_document(*read), result.document());
    EXPECT_NE(result.document().find("330"), std::string::npos);
}

TEST(Queries, TheGraphIsToldInOneFormOrOfSomeNodes) {
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

TEST(Queries, AGraphThatDoesNotFitIsToldByParts) {
    Script script;
    script.play("hello a");
    for (const char group : {'a', 'b'}) {
        v1::Request large = request("id: 1 apply_transaction { wait_for_start: true edits {} }");
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

TEST(Queries, CheckGraphTellsSizesAndCommitsNothing) {
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

TEST(Queries, StatusTellsDeviceRealtimeAndEngine) {
    Script script;
    script.daemon.device.fallback_reason = "hw:0 is busy";
    script.daemon.device.callback_frames = 256;
    script.daemon.device.xruns = 3;
    script.daemon.realtime.scheduling.detail = "not permitted";
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

TEST(Queries, StatusTellsWhichRevisionIsHeard) {
    Script script;
    script.play("hello a\n" + tone());
    const auto heard = [&] {
        script.send('a', request("id: 9 get_status {}"));
        return script.receive('a')->response().get_status().engine().heard_revision();
    };
    EXPECT_EQ(heard(), 1U);
    script.play(R"(
        a> id: 2 apply_transaction { edits { edits { add_node { name: "trim" type: "gain" } } } }
        a< response { id: 2 apply_transaction { revision: 2 } }
        a> id: 3 apply_transaction { edits { edits { add_node { name: "other" type: "gain" } } } }
        a< response { id: 3 apply_transaction { revision: 3 } }
    )");
    EXPECT_EQ(heard(), 1U) << "no block has been rendered since";
    for (int blocks = 0; heard() < 3 && blocks < 100; ++blocks) script.block();
    EXPECT_EQ(heard(), 3U);
}

TEST(Queries, AFrequencyResponseIsThatOfTheParametersOfNow) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "low" type: "biquad_filter" parameters { key: "frequency_hz" value: 1000 } } } edits { add_node { name: "osc" type: "sine" } } } }
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
    EXPECT_EQ(refused->response().status().message(), "frequencies_hz has 2049 elements; at most 2048 are allowed");

    // A Butterworth low-pass has -3.01 dB and a phase of -90 degrees at its corner frequency.
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

/// low -> lim -> out at -6 dB, with latency compensation of the branch that goes around the limiter.
constexpr std::string_view kPath = R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "low" type: "biquad_filter" parameters { key: "frequency_hz" value: 1000 } } } edits { add_node { name: "lim" type: "limiter" } } edits { add_node { name: "out" type: "output" } } edits { connect { from: "low" to: "lim" gain_db: -6 } } edits { connect { from: "lim" to: "out" } } } }
        block
        a< response { id: 1 apply_transaction { revision: 1 } }
    )";

TEST(Queries, TheResponseOfAPathHasGroupDelayAndNotes) {
    Script script;
    script.play(kPath);
    script.send('a',
                request("id: 2 get_frequency_response { from: \"low:in\" to: \"out\" frequencies_hz: [10, 1000] }"));
    const auto answer = script.receive('a');
    ASSERT_TRUE(answer);
    const v1::FrequencyResponseResult& result = answer->response().get_frequency_response();
    ASSERT_EQ(result.outputs_size(), 1) << answer->response().status().message();
    const v1::PortResponse& output = result.outputs(0);
    EXPECT_EQ(output.port(), "in");
    EXPECT_NEAR(output.magnitude_db(0), -6.0, 1e-3);
    EXPECT_NEAR(output.magnitude_db(1), -9.0103, 1e-3);
    // 144 frames of look-ahead and 39 of the interpolation; the low-pass adds sqrt(2) / w at low frequencies.
    ASSERT_EQ(output.group_delay_ms_size(), 2);
    EXPECT_NEAR(output.group_delay_ms(0), 183.0 / 48.0 + 1e3 * std::numbers::sqrt2 / (2e3 * std::numbers::pi), 1e-3);
    ASSERT_EQ(result.notes_size(), 1);
    EXPECT_EQ(result.notes(0), "limiter \"lim\" counts as its latency, without gain reduction");

    script.send('a', request("id: 3 get_frequency_response { from: \"low\" to: \"lim:in\" }"));
    const auto flat = script.receive('a');
    ASSERT_TRUE(flat);
    EXPECT_EQ(flat->response().get_frequency_response().frequencies_hz_size(), 961);
    EXPECT_EQ(flat->response().get_frequency_response().notes_size(), 0);
    script.play(R"(
        a> id: 4 get_frequency_response { node: "low" from: "low" to: "out" }
        a< response { id: 4 status { code: INVALID_ARGUMENT } }
        a> id: 5 get_frequency_response { from: "low" }
        a< response { id: 5 status { code: INVALID_ARGUMENT } }
        a> id: 6 get_frequency_response { node: "low" to_channel: 1 }
        a< response { id: 6 status { code: INVALID_ARGUMENT } }
        a> id: 7 get_frequency_response { from: "low" to: "oat" }
        a< response { id: 7 status { code: NOT_FOUND message: "unknown node \"oat\" (did you mean \"out\"?); expected one of: low, lim, out" } }
        a> id: 8 get_frequency_response { from: "lim" to: "low" }
        a< response { id: 8 status { code: FAILED_PRECONDITION } }
        a> id: 9 get_frequency_response { from: "low" to: "out" to_channel: 2 }
        a< response { id: 9 status { code: INVALID_ARGUMENT } }
        a> id: 10 get_frequency_response { from: "low" to: "out" frequencies_hz: 24000 }
        a< response { id: 10 status { code: INVALID_ARGUMENT } }
    )");
}

TEST(Queries, TheResponseOfAPathIsComputedOnAWorkerForTheGraphOfItsTurn) {
    Script script;
    script.play(kPath);
    script.workers.held = true;
    script.play(R"(
        a> id: 2 get_frequency_response { from: "low:in" to: "out" frequencies_hz: 1000 }
        a> id: 3 set_parameters { changes { node: "low" parameter: "bypass" value: 1 } }
        block
        a-
        hello b
        b> id: 2 get_frequency_response { node: "low" frequencies_hz: 1000 }
    )");
    ASSERT_EQ(script.workers.jobs.size(), 2U);
    for (const auto& job : script.workers.jobs) EXPECT_EQ(job.lane, Workers::Lane::responses);
    script.workers.finish(1);
    const auto bypassed = script.receive('b');
    ASSERT_TRUE(bypassed);
    EXPECT_EQ(bypassed->response().get_frequency_response().outputs(0).magnitude_db(0), 0.0F);
    script.workers.finish(0);
    const auto first = script.receive('a');
    ASSERT_TRUE(first);
    EXPECT_EQ(first->response().id(), 2U) << "answers keep the order of the requests";
    EXPECT_NEAR(first->response().get_frequency_response().outputs(0).magnitude_db(0), -9.0103, 1e-3);
    const auto second = script.receive('a');
    ASSERT_TRUE(second);
    EXPECT_EQ(second->response().id(), 3U);
}

TEST(Queries, AResponseIsNotComputedForAClientThatHasLeft) {
    static int readings = 0;
    Script script{builtin_nodes(), EngineConfig{.thread_time_s = [] { return static_cast<double>(++readings) * 0.0; }}};
    script.play(kPath);
    script.workers.held = true;
    for (const bool leaves : {false, true}) {
        script.play("hello b\nb> id: 2 get_frequency_response { from: \"low\" to: \"out\" }");
        ASSERT_EQ(script.workers.jobs.size(), 1U);
        if (leaves) script.disconnect('b');
        readings = 0;
        script.workers.finish(0);
        EXPECT_EQ(readings == 0, leaves);
        if (!leaves) script.disconnect('b');
    }
}

TEST(Queries, TheResponseOfAPathStopsAfterTwoSecondsOfProcessorTime) {
    static double time_s = 0.0;
    static double step_s = 0.0;
    Script script{builtin_nodes(), EngineConfig{.thread_time_s = [] { return time_s += step_s; }}};
    script.play(kPath);
    const auto expect_refused = [&](const char* frequencies, const char* advice) {
        script.send('a', request("id: 2 get_frequency_response { from: \"low\" to: \"out\" " +
                                 std::string{frequencies} + " }"));
        // Each step takes longer than a turn.
        for (int pass = 0; pass < 4; ++pass) script.dispatcher.time().begin_pass();
        const auto answer = script.receive('a');
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->response().status().code(), v1::RESOURCE_EXHAUSTED);
        EXPECT_THAT(answer->response().status().message(), testing::HasSubstr(advice));
    };
    step_s = 0.7;  // while the response is computed
    expect_refused("frequencies_hz: [100, 1000]", "2 frequencies takes too long; request fewer frequencies");
    expect_refused("", "961 frequencies takes too long; choose ends that are closer to each other");
    step_s = 2.1;  // while the path is found
    expect_refused("", "finding the path takes too long; choose ends that are closer to each other");
}

TEST(Queries, APathWithManySectionsHasFewerFrequenciesByDefault) {
    Script script;
    script.play("hello a");
    // The largest equalizers: a few of them cost as much as thousands of other nodes.
    std::string edits = "edits { add_node { name: \"start\" type: \"gain\" } }";
    std::string before = "start";
    for (int i = 1; i <= 60; ++i) {
        const std::string name = "eq_" + std::to_string(i);
        edits +=
            "edits { add_node { name: \"" + name +
            "\" type: \"equalizer\" settings { fields { key: \"bands\" value { number_value: 64 } } } } } edits { connect { from: \"" +
            before + "\" to: \"" + name + "\" } }";
        before = name;
    }
    script.play("a> id: 1 apply_transaction { wait_for_start: true edits { " + edits + " } }\nblock\n" +
                "a< response { id: 1 apply_transaction { revision: 1 } }");
    const auto count_to = [&](const std::string& end) {
        script.send('a', request("id: 2 get_frequency_response { from: \"start\" to: \"" + end + "\" }"));
        const auto answer = script.receive('a');
        return answer->response().get_frequency_response().frequencies_hz_size();
    };
    EXPECT_EQ(count_to("eq_20"), 961);
    EXPECT_EQ(count_to("eq_60"), 481);
}

TEST(Queries, NodeTypesComeFromTheRegistry) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 list_node_types { type: "sine" }
        a< response { id: 1 list_node_types { types { name: "sine" parameters { name: "frequency_hz" unit: "Hz" } parameters { name: "gain_db" unit: "dB" minimum: -120 } outputs { name: "out" } } } }
    )");
    script.play(R"(
        a> id: 4 list_node_types { type: "equalizer" }
        a< response { id: 4 list_node_types { types { name: "equalizer" settings { name: "bands" maximum: 64 } settings { name: "kind_#" kind: "choice" repeated_by { setting: "bands" } } settings { name: "channels" } } } }
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

TEST(Queries, DevicesAreAskedForOnceForEverybodyWhoWaits) {
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
    ASSERT_EQ(script.daemon.looks.size(), 1U);
    script.daemon.looks.front()({{.name = "ALSA/hw:0", .channels_out = 2, .default_output = true}});
    script.play(R"(
        a< response { id: 1 list_devices { devices { name: "ALSA/hw:0" channels_out: 2 default_output: true } } }
        a< response { id: 2 get_status {} }
        b< response { id: 1 list_devices { devices { name: "ALSA/hw:0" } } }
        b> id: 2 list_devices {}
    )");
    EXPECT_EQ(script.daemon.looks.size(), 2U) << "the next one looks again";
}

TEST(Queries, DevicesThatNeverComeAreGivenUp) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 list_devices {}
        tick 9999
        a-
        tick 1
        a< response { id: 1 status { code: DEADLINE_EXCEEDED } }
    )");
    script.daemon.looks.front()({});  // late results are ignored
    script.play("a-");
}

TEST(Queries, TheDeviceIsChangedAndOtherRequestsDoNotWait) {
    Script script;
    script.play(R"(
        hello a
        hello b
        a> id: 1 set_device { device: "jack:stage" }
        b> id: 1 mute_output { muted: true }
        b> id: 2 set_device {}
        a-
    )");
    ASSERT_EQ(script.daemon.device_changes.size(), 2U);
    EXPECT_EQ(script.daemon.device_changes[0].first, "jack:stage");
    EXPECT_EQ(script.daemon.device_changes[1].first, std::nullopt) << "opens the present one again";
    script.daemon.device_changes[1].second(fail(ErrorCode::aborted, "try again"));
    script.daemon.device.description.name = "JACK/stage";
    script.daemon.device.state = "running";
    script.daemon.device_changes[0].second({});
    script.play(R"(
        a< response { id: 1 set_device { device { name: "JACK/stage" state: "running" } } }
    )");
}

TEST(Queries, AClientThatLeavesDoesNotReceiveTheResultOfItsChange) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 set_device { device: "jack" }
    )");
    script.disconnect('a');
    ASSERT_EQ(script.daemon.device_changes.size(), 1U);
    script.daemon.device_changes[0].second({});
}

}  // namespace
}  // namespace rta::api::test
