// SPDX-License-Identifier: MIT
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "fake_rtad.h"
#include "rtactl/drawing/status_page.h"
#include "rtactl/terminal/printable_stream.h"
#include "support/temporary.h"
#include "text/quoting.h"

namespace rta::test {
namespace {

using rtactl::Exit;
using rtactl::PrintableStream;

/// Returns the request in protobuf's text format, on one line, without the fields that differ between calls.
std::string shown(v1::Request request) {
    // Every manual change waits for its start.
    if (request.has_apply_transaction()) {
        EXPECT_TRUE(request.apply_transaction().wait_for_start());
        request.mutable_apply_transaction()->clear_wait_for_start();
    }
    request.clear_id();
    request.clear_timeout_ms();
    return request.ShortDebugString();
}

FakeRtad::Override refuse_changes(v1::Code code, std::string sentence) {
    return [code, sentence = std::move(sentence)](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_apply_transaction() && !request.has_set_parameters() && !request.has_check_graph())
            return std::nullopt;
        return Reply{.bytes = frame(refusal(request, code, sentence))};
    };
}

TEST(Commands, StatusShowsEverything) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"status", "--verbose"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    for (const std::string_view part : {"rtad 9.9.9",
                                        "up 1 h 2 min",
                                        "1 client,",
                                        "0123abcd",
                                        "null tone.wav",
                                        "running",
                                        "48000 Hz",
                                        "0 in, 2 out",
                                        "PortAudio has no device",
                                        "to the output: ",
                                        "output 1.33 ms; 64 frames per callback",
                                        "64 frames per callback",
                                        "2 late callbacks, 1 overrun",
                                        "mean 2 %, p99 5.1 %, worst 50 % of the time for 750 callbacks",
                                        "muted; `rtactl unmute` unmutes it",
                                        "/var/lib/rtad, revision 6 saved, later changes are being written",
                                        "\"console\" from 192.0.2.1:50000 for 1 min 1 s, 9 events of telemetry dropped",
                                        "SCHED_OTHER (RLIMIT_RTPRIO is 0)",
                                        "memory locked",
                                        "blocks of 64 frames",
                                        "frame 96000 (2 s)",
                                        "kernels for avx2",
                                        "revision 7",
                                        "change 11",
                                        "3 nodes, 2 connections",
                                        "5 created, 4 freed, 1 alive"}) {
        EXPECT_TRUE(has(outcome.out, part)) << part << " is not in\n" << outcome.out;
    }
    const std::string brief = rtad.run({"status"}).out;
    for (const std::string_view internal : {"0123abcd", "1 alive"}) EXPECT_FALSE(has(brief, internal)) << brief;
}

TEST(Commands, StatusSumsTheLatencyFromInputToOutput) {
    v1::StatusResult status = fake_status();
    status.mutable_device()->set_channels_in(2);
    status.mutable_device()->set_input_latency_s(0.002);
    status.mutable_device()->set_output_latency_s(0.003);
    status.mutable_device()->set_adapter_frames(48);
    status.mutable_engine()->set_latency_frames(24);
    std::ostringstream out;
    rtactl::print_status(out, status, false);
    EXPECT_TRUE(
        has(out.str(), "6.5 ms from input to output: input 2 ms, fixed blocks 1 ms, look-ahead 0.5 ms, output 3 ms"))
        << out.str();
}

TEST(Commands, StatusCountsWhatARecordingHasLost) {
    v1::StatusResult status = fake_status();
    std::ostringstream complete;
    rtactl::print_status(complete, status, false);
    EXPECT_FALSE(has(complete.str(), "recording"));
    status.mutable_device()->set_recording_lost_frames(1'280);
    std::ostringstream out;
    rtactl::print_status(out, status, false);
    EXPECT_TRUE(has(out.str(), "1280 frames lost and replaced by silence: the disk could not keep up")) << out.str();
}

TEST(Commands, JsonIsTheResponseAndNothingElse) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"status", "--json"});
    EXPECT_EQ(outcome.exit, Exit::done);
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1);
    EXPECT_TRUE(has(outcome.out, "\"sample_rate_hz\":48000")) << outcome.out;
    EXPECT_TRUE(has(outcome.out, "\"xruns\":\"0\"")) << "a zero is an answer too: " << outcome.out;
    const auto response = parse_json<v1::Response>(outcome.out);
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(response.get_status(), fake_status()));
}

TEST(Commands, JsonOfARefusalIsTheResponseToo) {
    FakeRtad rtad{refuse_changes(v1::NOT_FOUND, "unknown node \"x\"")};
    const Outcome outcome = rtad.run({"--json", "remove", "x"});
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_EQ(outcome.err, "");
    const auto response = parse_json<v1::Response>(outcome.out);
    EXPECT_EQ(response.status().code(), v1::NOT_FOUND);
    EXPECT_EQ(response.status().message(), "unknown node \"x\"");
    EXPECT_NE(response.id(), 0U) << "the response of the daemon";
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1) << outcome.out;
}

TEST(Commands, JsonOfEveryErrorIsAResponseOnStdout) {
    FakeRtad rtad;
    const auto expect = [](const Outcome& outcome, Exit exit, v1::Code code, std::string_view message) {
        EXPECT_EQ(outcome.exit, exit) << message;
        EXPECT_EQ(outcome.err, "") << message;
        EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1) << outcome.out;
        const auto response = parse_json<v1::Response>(outcome.out);
        EXPECT_EQ(response.status().code(), code) << outcome.out;
        EXPECT_TRUE(has(response.status().message(), message)) << outcome.out;
        EXPECT_EQ(response.id(), 0U) << "not from the daemon";
    };
    expect(rtad.run({"--json", "sett"}), Exit::usage, v1::INVALID_ARGUMENT, "unknown command \"sett\"");
    expect(rtad.run({"sett", "--json"}), Exit::usage, v1::INVALID_ARGUMENT, "unknown command \"sett\"");
    expect(rtad.run({"status", "--jsn", "--json"}), Exit::usage, v1::INVALID_ARGUMENT, "unknown option");
    expect(rtad.run({"--json", "add", "sine"}), Exit::usage, v1::INVALID_ARGUMENT, "missing argument");
    expect(rtad.run({"--json", "set", "osc.frequency_hz=3s"}), Exit::usage, v1::INVALID_ARGUMENT, "is a time");
    expect(rtad.run({"--json", "graph", "load", "/nonexistent"}), Exit::usage, v1::INVALID_ARGUMENT, "/nonexistent");
    expect(rtad.run({"--json", "get", "ghost"}), Exit::refused, v1::NOT_FOUND, "unknown node \"ghost\"");
    expect(rtad.run({"--json", "insert", "gain", "g", "osc", "out"}), Exit::refused, v1::NOT_FOUND,
           "connection osc -> out not found");
    expect(run_rtactl({"--json", "--socket", "/nonexistent", "status"}), Exit::cannot_connect, v1::UNAVAILABLE,
           "cannot connect");
    expect(run_rtactl({"--json", "--socket", "/nonexistent", "watch"}), Exit::cannot_connect, v1::UNAVAILABLE,
           "cannot connect");
    const Outcome text = rtad.run({"remove", "--", "--json", "-x", "--y"});
    EXPECT_EQ(text.exit, Exit::done) << "behind --, it is a name";
    EXPECT_TRUE(has(rtad.run({"sett", "--", "--json"}).err, "unknown command"));
}

TEST(Commands, ListsDevicesAndTypes) {
    FakeRtad rtad;
    const Outcome devices = rtad.run({"devices"});
    EXPECT_TRUE(has(devices.out, "ALSA/default")) << devices.out;
    EXPECT_TRUE(has(devices.out, "portaudio:ALSA/default")) << devices.out;
    EXPECT_TRUE(has(devices.out, "44100 Hz")) << devices.out;
    EXPECT_TRUE(has(devices.out, "default output")) << devices.out;
    const Outcome types = rtad.run({"types"});
    EXPECT_EQ(types.out,
              "TYPE    IN  OUT  HELP\n"
              "gain    in  out  Changes the level.\n"
              "output  in  -    Plays to the device.\n"
              "sine    -   out  A sine wave.\n");
    const Outcome type = rtad.run({"types", "sine"});
    for (const std::string_view part :
         {"sine: A sine wave.", "width from the setting channels", "integer, 1 to 64", "default 1\n",
          "frequency_hz  0.01 to 20000 Hz; default 1000 Hz; logarithmic ramp\n                Help of frequency_hz."}) {
        EXPECT_TRUE(has(type.out, part)) << part << " is not in\n" << type.out;
    }
    const Outcome unknown = rtad.run({"types", "sinus"});
    EXPECT_EQ(unknown.exit, Exit::refused);
    EXPECT_TRUE(has(unknown.err, "unknown node type"));
    EXPECT_EQ(rtad.run({"types", ""}).exit, Exit::usage);
}

TEST(Commands, PlayReplacesTheGraphByOneChain) {
    FakeRtad rtad;
    const Outcome outcome =
        rtad.run({"play", "sine:frequency_hz=2kHz,channels=2", "sine", "gain:gain_db=-inf,mute=on"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(outcome.out, "playing sine -> sine_2 -> gain -> output: revision 1, takes effect at frame 4096\n");
    const v1::Graph graph = rtad.last_change().apply_transaction().graph();
    ASSERT_EQ(graph.nodes_size(), 4);
    EXPECT_EQ(graph.nodes(0).parameters().at("frequency_hz"), 2000.0F);
    EXPECT_EQ(graph.nodes(0).settings().fields().at("channels").number_value(), 2);
    EXPECT_EQ(graph.nodes(1).name(), "sine_2");
    EXPECT_EQ(graph.nodes(2).parameters().at("gain_db"), -120.0F);
    EXPECT_EQ(graph.nodes(2).parameters().at("mute"), 1.0F);
    EXPECT_EQ(graph.nodes(3).type(), "output");
    EXPECT_EQ(graph.nodes(3).settings().fields().at("channels").number_value(), 2) << "as wide as the device";
    ASSERT_EQ(graph.connections_size(), 3);
    EXPECT_EQ(graph.connections(1).from(), "sine_2");
    EXPECT_EQ(graph.connections(1).to(), "gain");
    EXPECT_EQ(rtad.change_count(), 1U);
}

TEST(Commands, PlayAddsNoSecondSink) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"play", "sine", "output:channels=1"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_TRUE(has(outcome.out, "playing sine -> output: "));
    EXPECT_EQ(rtad.last_change().apply_transaction().graph().nodes_size(), 2);
}

TEST(Commands, PlayAddKeepsWhatIsThere) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_get_graph()) return std::nullopt;
        v1::Response response = ok(request);
        for (const char* name : {"sine", "sine_2", "output"}) {
            response.mutable_get_graph()->mutable_graph()->add_nodes()->set_name(name);
        }
        return Reply{.bytes = frame(response)};
    }};
    const Outcome outcome = rtad.run({"play", "--add", "sine", "sine"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(outcome.out, "added sine_3 -> sine_4 -> output_2: revision 1, takes effect at frame 4096\n");
    const auto edits = rtad.last_change().apply_transaction().edits().edits();
    ASSERT_EQ(edits.size(), 5);
    EXPECT_EQ(edits.Get(0).add_node().name(), "sine_3");
    EXPECT_EQ(edits.Get(1).add_node().name(), "sine_4");
    EXPECT_EQ(edits.Get(2).add_node().name(), "output_2");
    EXPECT_EQ(edits.Get(3).connect().from(), "sine_3");
    EXPECT_EQ(edits.Get(4).connect().to(), "output_2");
}

TEST(Commands, EditCommandsSendTheTypedValues) {
    struct Case {
        std::vector<std::string> words;
        std::string request;
    };
    for (const auto& [words, request] : {
             Case{{"add", "sine", "osc2", "frequency_hz=440Hz", "channels=2"},
                  "apply_transaction { edits { edits { add_node { name: \"osc2\" type: \"sine\" settings { fields { "
                  "key: \"channels\" value { "
                  "number_value: 2 } } } parameters { key: \"frequency_hz\" value: 440 } } } } }"},
             Case{{"remove", "osc", "vol"},
                  "apply_transaction { edits { edits { remove_node { name: \"osc\" } } edits { remove_node { name: "
                  "\"vol\" } } } }"},
             Case{{"connect", "osc", "vol:in"},
                  "apply_transaction { edits { edits { connect { from: \"osc\" to: \"vol:in\" } } } }"},
             Case{{"connect", "osc", "vol", "gain_db=-6dB"},
                  "apply_transaction { edits { edits { connect { from: \"osc\" to: \"vol\" gain_db: -6 } } } }"},
             Case{{"disconnect", "osc", "vol"},
                  "apply_transaction { edits { edits { disconnect { from: \"osc\" to: \"vol\" } } } }"},
             Case{{"set", "osc.frequency_hz=2kHz", "vol.mute=off", "--ramp", "0.5s"},
                  "set_parameters { changes { node: \"osc\" parameter: \"frequency_hz\" value: 2000 ramp_ms: 500 } "
                  "changes { node: \"vol\" "
                  "parameter: \"mute\" ramp_ms: 500 } }"},
             Case{{"set", "osc.frequency_hz=2kHz", "osc.channels=2", "vol.channels=2"},
                  "apply_transaction { edits { edits { change_settings { node: \"osc\" settings { fields { key: "
                  "\"channels\" value { "
                  "number_value: 2 } } } } } edits { change_settings { node: \"vol\" settings { fields { key: "
                  "\"channels\" value { "
                  "number_value: 2 } } } } } edits { set_parameter { node: \"osc\" parameter: \"frequency_hz\" value: "
                  "2000 } } } }"},
             Case{{"set", "nobody.level_db=-inf"},
                  "set_parameters { changes { node: \"nobody\" parameter: \"level_db\" value: -120 } }"},
             Case{{"add", "sinus", "osc2", "shape=round"},
                  "apply_transaction { edits { edits { add_node { name: \"osc2\" type: \"sinus\" settings { fields { "
                  "key: \"shape\" value { "
                  "string_value: \"round\" } } } } } } }"},
             Case{{"graph", "clear"}, "apply_transaction { graph { } }"},
         }) {
        FakeRtad rtad;
        const Outcome outcome = rtad.run(words);
        EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
        EXPECT_EQ(shown(rtad.last_change()), request);
    }
}

/// The transaction is committed, and the daemon stops waiting for its start.
std::optional<Reply> late_start(const v1::Request& request) {
    if (!request.has_apply_transaction()) return std::nullopt;
    v1::Response response = refusal(request, v1::DEADLINE_EXCEEDED,
                                    "committed as revision 7, but not heard yet: no block of audio was rendered");
    response.mutable_apply_transaction()->set_revision(7);
    response.mutable_apply_transaction()->set_starts_within_ms(60);
    return Reply{.bytes = frame(response)};
}

TEST(Commands, ALateStartIsAnErrorThatSaysWhatIsCommitted) {
    FakeRtad rtad{late_start};
    const Outcome outcome = rtad.run({"remove", "osc"});
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "rtactl: committed as revision 7, but not heard yet: no block of audio was rendered\n");
    const Outcome json = rtad.run({"--json", "remove", "osc"});
    EXPECT_EQ(json.exit, Exit::refused);
    const auto response = parse_json<v1::Response>(json.out);
    EXPECT_EQ(response.status().code(), v1::DEADLINE_EXCEEDED);
    EXPECT_EQ(response.apply_transaction().revision(), 7U);
    EXPECT_FALSE(response.apply_transaction().has_frame());
}

TEST(Commands, SetPrintsTheParsedValues) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"set", "osc.frequency_hz=2kHz", "vol.mute=yes"}).out,
              "set osc.frequency_hz = 2000 Hz\nset vol.mute = on\n");
    EXPECT_EQ(rtad.run({"set", "vol.channels=2"}).out,
              "set vol.channels = 2: revision 1, takes effect at frame 4096\n");
}

TEST(Commands, EditsSayWhatTheyHaveDone) {
    FakeRtad rtad;
    const std::string revision = ": revision 1, takes effect at frame 4096\n";
    const auto said = [](const std::vector<std::string>& words) {
        FakeRtad fresh;
        const Outcome outcome = fresh.run(words);
        EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
        return outcome.out;
    };
    EXPECT_EQ(said({"add", "sine", "fifth"}), "added fifth (sine)" + revision);
    EXPECT_EQ(said({"connect", "fifth", "gain"}), "connected fifth -> gain" + revision);
    EXPECT_EQ(said({"connect", "osc", "vol", "gain_db=-6"}), "connected osc -> vol at -6 dB" + revision);
    EXPECT_EQ(said({"disconnect", "osc", "vol"}), "disconnected osc -> vol" + revision);
    EXPECT_EQ(said({"rename", "osc", "tone"}), "renamed osc to tone" + revision);
    EXPECT_EQ(said({"remove", "vol"}), "removed vol (2 connections: osc -> vol, vol -> out)" + revision);
    EXPECT_EQ(said({"remove", "osc", "vol"}),
              "removed osc (1 connection: osc -> vol), vol (1 connection: vol -> out)" + revision);
    EXPECT_EQ(said({"graph", "compensate", "off"}), "latency compensation off" + revision);
    EXPECT_EQ(said({"graph", "clear"}), "removed all nodes and connections" + revision);
    EXPECT_EQ(said({"mute", "vol"}), "set vol.mute = on\n");
    EXPECT_EQ(said({"set", "vol.channels=2", "vol.gain_db+=1", "out.gain_db=-3"}),
              "set vol.channels = 2\nset vol.gain_db = -2 dB\nset out.gain_db = -3 dB\nrevision 1, takes effect at "
              "frame 4096\n");
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"remove", "vol", "--json"},
                                               {"connect", "osc", "vol", "--json"},
                                               {"remove", "--bridge", "vol", "--json"},
                                               {"set", "vol.gain_db+=1", "--json"}})
        parse_json<v1::Response>(said(words));
}

TEST(Commands, SetChangesValuesRelatively) {
    FakeRtad rtad;
    const Outcome outcome =
        rtad.run({"set", "vol.gain_db+=1dB", "osc.frequency_hz -= 0.5kHz", "vol.mute=toggle", "--ramp", "5"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(outcome.out, "set vol.gain_db = -2 dB\nset osc.frequency_hz = -503 Hz\nset vol.mute = on\n")
        << "the results of the daemon";
    EXPECT_EQ(shown(rtad.last_change()),
              "set_parameters { changes { node: \"vol\" parameter: \"gain_db\" ramp_ms: 5 add: 1 } changes { node: "
              "\"osc\" parameter: \"frequency_hz\" ramp_ms: 5 add: -500 } changes { node: \"vol\" parameter: "
              "\"mute\" ramp_ms: 5 toggle: true } }");
    for (const auto& [word, part] : {std::pair{"vol.mute+=1", "expected on, off or toggle"},
                                     {"vol.gain_db=toggle", "only an on/off parameter can be toggled"},
                                     {"vol.channels+=1", "it is a setting; expected channels=VALUE"},
                                     {"vol.channels=toggle", "not a number"},
                                     {"vol.gain_db+=1ms", "\"1ms\" is a time; write a level (dB)"},
                                     {"vol.gain_db+=", "empty"}}) {
        const Outcome refused = rtad.run({"set", word});
        EXPECT_EQ(refused.exit, Exit::usage) << word;
        EXPECT_TRUE(has(refused.err, part)) << refused.err;
    }
    EXPECT_EQ(rtad.change_count(), 1U);
}

TEST(Commands, SetTakesPatterns) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"set", "*.gain_db-=3", "v*.b*=off"}).exit, Exit::done);
    EXPECT_EQ(shown(rtad.last_change()),
              "set_parameters { changes { node: \"osc\" parameter: \"gain_db\" add: -3 } changes { node: \"out\" "
              "parameter: \"gain_db\" add: -3 } changes { node: \"vol\" parameter: \"gain_db\" add: -3 } changes { "
              "node: \"vol\" parameter: \"bypass\" } }");
    EXPECT_EQ(rtad.run({"set", "*.channels=2"}).exit, Exit::done) << "a setting by its name";
    EXPECT_EQ(rtad.last_change().apply_transaction().edits().edits_size(), 3);
    for (const auto& [words, part] :
         {std::pair{std::vector<std::string>{"set", "*.foo=1"}, "no parameter matches \"*.foo\""},
          {{"set", "x*.gain_db=1"}, "no parameter matches \"x*.gain_db\""},
          {{"set", "vol.c*=1"}, "no parameter matches \"vol.c*\""},
          {{"set", "*.gain_db=1", "vol.gain_db=2"}, "\"vol.gain_db\" is given twice"}}) {
        const Outcome refused = rtad.run(words);
        EXPECT_NE(refused.exit, Exit::done);
        EXPECT_TRUE(has(refused.err, part)) << refused.err;
    }
    EXPECT_EQ(rtad.change_count(), 2U);
}

TEST(Commands, RemoveBridgesTheGap) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"remove", "--bridge", "vol"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(outcome.out,
              "removed vol (2 connections: osc -> vol, vol -> out); connected osc -> out: revision 1, takes effect at "
              "frame 4096\n");
    EXPECT_EQ(shown(rtad.last_change()),
              "apply_transaction { edits { edits { remove_node { name: \"vol\" } } edits { connect { from: \"osc:out\" "
              "to: \"out:in\" } } } }");
    const Outcome refused = rtad.run({"remove", "--bridge", "osc"});
    EXPECT_EQ(refused.exit, Exit::refused);
    EXPECT_EQ(refused.err,
              "rtactl: \"osc\" cannot be bridged: no input of it is connected; `remove osc` removes it without a "
              "bridge\n");
    EXPECT_EQ(rtad.change_count(), 1U);
}

TEST(Commands, VolumeIsShownAndSet) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"volume"}).out, "volume 0 dB, and the device output is muted; `rtactl unmute` unmutes it\n");
    const auto sent = [&](const char* word) {
        const Outcome outcome = rtad.run({"volume", word});
        EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
        return shown(rtad.last_change());
    };
    EXPECT_EQ(sent("-6dB"), "set_volume { volume_db: -6 }");
    EXPECT_EQ(sent("+3"), "set_volume { volume_db: 3 }") << "a value";
    EXPECT_EQ(rtad.run({"volume", "+3dB"}).out, "volume 3 dB from frame 4096\n(to raise it by 3dB, write +=3dB)\n");
    EXPECT_EQ(sent("0"), "set_volume { volume_db: 0 }");
    EXPECT_EQ(sent("-inf"), "set_volume { volume_db: -120 }");
    EXPECT_EQ(sent("+=3dB"), "set_volume { add_db: 3 }");
    EXPECT_EQ(sent("-=0.5"), "set_volume { add_db: -0.5 }");
    EXPECT_EQ(rtad.run({"volume", "+= 3 dB"}).out, "volume -9 dB from frame 4096\n");
    EXPECT_EQ(parse_json<v1::Response>(rtad.run({"volume", "-6", "--json"}).out).set_volume().volume_db(), -6.0F);
    EXPECT_TRUE(parse_json<v1::Response>(rtad.run({"volume", "--json"}).out).has_get_status());
    for (const char* const bad : {"", "loud", "3ms", "x+=3", "=3", "+=", "==3"})
        EXPECT_EQ(rtad.run({"volume", bad}).exit, Exit::usage) << bad;
    EXPECT_EQ(rtad.run({"shell"}, "begin\nvolume -3\n").exit, Exit::refused) << "not part of a transaction";
}

TEST(Commands, UndoAndRedoSayWhatTheyHaveDone) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"undo"}).out,
              "undid step 1 of desk: add gain_1: revision 9, takes effect at frame 640\n"
              "(rebuilt, without their previous state: echo)\n");
    EXPECT_EQ(shown(rtad.last_change()), "undo { steps: 1 wait_for_start: true }");
    EXPECT_EQ(rtad.run({"undo", "2", "--force", "--all"}).out,
              "undid step 2 of desk: add gain_2\nundid step 1 of desk: add gain_1\n"
              "revision 9, takes effect at frame 640\n(rebuilt, without their previous state: echo)\n");
    EXPECT_EQ(shown(rtad.last_change()), "undo { steps: 2 force: true of_all: true wait_for_start: true }");
    EXPECT_EQ(rtad.run({"redo"}).out,
              "applied step 1 again of desk: add gain_1: revision 9, takes effect at frame 640\n");
    EXPECT_EQ(shown(rtad.last_change()), "redo { steps: 1 wait_for_start: true }");
    EXPECT_EQ(rtad.run({"undo", "--expect", "7"}).exit, Exit::done);
    EXPECT_EQ(shown(rtad.last_change()), "undo { steps: 1 wait_for_start: true guard { expected_revision: 7 } }");
    EXPECT_EQ(rtad.run({"redo", "2", "--expect=7"}).exit, Exit::done);
    EXPECT_EQ(shown(rtad.last_change()), "redo { steps: 2 wait_for_start: true guard { expected_revision: 7 } }");
    EXPECT_EQ(rtad.run({"undo", "--expect", "now"}).exit, Exit::usage);
    for (const char* const option : {"--at=+2s", "--max-load=80%", "--dry-run"}) {
        const Outcome refused = rtad.run({"undo", option});
        EXPECT_EQ(refused.exit, Exit::usage);
        EXPECT_TRUE(has(refused.err, "undo does not take --")) << refused.err;
        EXPECT_TRUE(has(refused.err, "; expected one of: --force, --all, --expect, --confirm-within, ")) << refused.err;
    }
    EXPECT_EQ(parse_json<v1::Response>(rtad.run({"undo", "--json"}).out).undo().revision(), 9U);
    EXPECT_TRUE(rtad.run({"undo", "3"}).err.ends_with("undone first, or together with it, with --force\n"));
    EXPECT_EQ(rtad.run({"undo", "3", "--force"}).exit, Exit::done);
    EXPECT_TRUE(rtad.run({"undo", "1000"}).err.ends_with("not 1000; with --all, the steps of all authors count\n"));
    EXPECT_TRUE(rtad.run({"undo", "1000", "--all"}).err.ends_with("not 1000\n"));
    for (const char* const bad : {"0", "1001", "-1", "two", "1.5"}) {
        const auto run = rtad.run({"undo", bad});
        EXPECT_EQ(run.exit, Exit::usage) << bad;
        EXPECT_NE(run.err.find("expected 1 to 1000"), std::string::npos) << run.err;
    }
}

TEST(Commands, HistoryIsATable) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"history", "2"}).out,
              "STEP  TIME                  AUTHOR  CLIENT  UNDONE BY  CHANGE\n"
              "2     2023-11-14T22:13:20Z  desk    rtactl  stage      add gain_2\n"
              "1     2023-11-14T22:13:20Z  desk    rtactl             add gain_1\n");
    EXPECT_EQ(parse_json<v1::Response>(rtad.run({"history", "--json"}).out).get_history().steps_size(), 20);
}

TEST(Commands, StatusShowsAVolumeOtherThan0Db) {
    v1::StatusResult status = fake_status();
    const auto output = [&] {
        std::ostringstream out;
        rtactl::print_status(out, status, false);
        const std::string text = out.str();
        const std::size_t begin = text.find("\noutput ");
        return begin == std::string::npos ? "" : text.substr(begin + 1, text.find('\n', begin + 1) - begin - 1);
    };
    EXPECT_EQ(output(), "output      muted; `rtactl unmute` unmutes it");
    status.mutable_engine()->set_output_volume_db(-6.5F);
    EXPECT_EQ(output(), "output      volume -6.5 dB, muted; `rtactl unmute` unmutes it");
    status.mutable_engine()->set_output_muted(false);
    EXPECT_EQ(output(), "output      volume -6.5 dB");
    status.mutable_engine()->set_output_volume_db(0.0F);
    EXPECT_EQ(output(), "");
}

TEST(Commands, ListsTheNodesAndConnections) {
    FakeRtad rtad;
    const std::string table =
        "NODE  TYPE    VALUES\n"
        "osc   sine    frequency_hz = 440 Hz\n"
        "vol   gain    gain_db = -12.5 dB, mute = on\n"
        "out   output  channels = 2\n"
        "\n"
        "FROM  TO   GAIN\n"
        "osc   vol  0 dB\n"
        "vol   out  0 dB\n";
    EXPECT_EQ(rtad.run({"list"}).out, table);
    EXPECT_EQ(rtad.run({"get"}).out, table);
    EXPECT_EQ(rtad.run({"shell"}, "list\n").out, table);
    const auto response = parse_json<v1::Response>(rtad.run({"list", "--json"}).out);
    EXPECT_EQ(response.get_graph().graph().nodes_size(), 3);
    EXPECT_EQ(response.get_graph().graph().connections_size(), 2);
    FakeRtad empty{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_get_graph()) return std::nullopt;
        v1::Response nothing = ok(request);
        nothing.mutable_get_graph();
        return Reply{.bytes = frame(nothing)};
    }};
    EXPECT_EQ(empty.run({"list"}).out, "no nodes\n");
}

TEST(Commands, GetPrintsValuesAlone) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"get", "-q", "osc.frequency_hz"}).out, "440\n");
    EXPECT_EQ(rtad.run({"get", "vol", "-q"}).out, "-12.5\non\n1\n");
    EXPECT_EQ(rtad.run({"get", "-q"}).exit, Exit::usage);
    EXPECT_EQ(rtad.run({"get", "-q", "vol.nothing"}).exit, Exit::refused);
    EXPECT_TRUE(has(rtad.run({"help", "get"}).out, "-q"));
}

TEST(Commands, GetPrintsValuesWithUnits) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"get", "osc.frequency_hz"}).out, "osc.frequency_hz = 440 Hz\n");
    EXPECT_EQ(rtad.run({"get", "vol"}).out, "vol.gain_db = -12.5 dB\nvol.mute = on\nvol.channels = 1\n");
    EXPECT_EQ(rtad.run({"get", "out.channels"}).out, "out.channels = 2\n");
    const Outcome node = rtad.run({"get", "ocs"});
    EXPECT_EQ(node.exit, Exit::refused);
    EXPECT_TRUE(has(node.err, "unknown node \"ocs\" (did you mean \"osc\"?)")) << node.err;
    const Outcome parameter = rtad.run({"get", "osc.freqency_hz"});
    EXPECT_EQ(parameter.exit, Exit::refused);
    EXPECT_TRUE(has(parameter.err, "did you mean \"frequency_hz\"?")) << parameter.err;
    EXPECT_EQ(rtad.run({"get", "osc."}).exit, Exit::usage);
    EXPECT_EQ(rtad.run({"get", ".x"}).exit, Exit::usage);
    EXPECT_EQ(rtad.run({"get", ""}).exit, Exit::usage);
    const auto response = parse_json<v1::Response>(rtad.run({"get", "osc.gain_db", "--json"}).out);
    ASSERT_EQ(response.get_graph().graph().nodes_size(), 1);
    EXPECT_EQ(response.get_graph().graph().nodes(0).parameters_size(), 1);
    EXPECT_EQ(response.get_graph().graph().nodes(0).parameters().at("gain_db"), -20.0F);
}

TEST(Commands, CommandsAskForNoMoreOfTheGraphThanTheyNeed) {
    FakeRtad rtad;
    const auto asked = [&](const std::vector<std::string>& words) {
        EXPECT_EQ(rtad.run(words).exit, Exit::done);
        v1::GetGraph last;
        for (const v1::Request& request : rtad.daemon().requests()) {
            if (request.has_get_graph()) last = request.get_graph();
        }
        return last.ShortDebugString();
    };
    EXPECT_EQ(asked({"get", "osc.frequency_hz"}), "content: GRAPH_CONTENT_MESSAGE nodes: \"osc\"");
    EXPECT_EQ(asked({"set", "osc.gain_db=-6", "vol.mute=on"}),
              "content: GRAPH_CONTENT_MESSAGE nodes: \"osc\" nodes: \"vol\"");
    EXPECT_EQ(asked({"insert", "gain", "x", "osc", "vol:in"}),
              "content: GRAPH_CONTENT_MESSAGE nodes: \"osc\" nodes: \"vol\"");
    EXPECT_EQ(asked({"graph", "show"}), "content: GRAPH_CONTENT_DOCUMENT");
    EXPECT_EQ(asked({"graph", "save", "-"}), "content: GRAPH_CONTENT_DOCUMENT with_origin: true");
    EXPECT_EQ(asked({"graph", "dot"}), "content: GRAPH_CONTENT_MESSAGE");
    EXPECT_EQ(asked({"graph", "show", "--json"}), "");
}

/// Text that a terminal would interpret: an escape sequence, one that starts with a C1 control, and a mark that
/// reverses the text direction.
const std::string kHostile =
    "\x1b[31m\xC2\x9B"
    "31m\xE2\x80\xAE";
const std::string kHarmless = "\\x1b[31m\\xc2\\x9b31m\\xe2\\x80\\xae";

TEST(Commands, TextFromTheDaemonIsEscaped) {
    FakeRtad refusing{refuse_changes(v1::INVALID_ARGUMENT, "no: " + kHostile)};
    EXPECT_EQ(refusing.run({"remove", "x"}).err, "rtactl: no: " + kHarmless + "\n");
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        v1::Response response = ok(request);
        if (request.has_get_status()) {
            v1::StatusResult& status = *response.mutable_get_status();
            status = fake_status();
            status.mutable_device()->set_name(kHostile);
            status.mutable_device()->set_fallback_reason(kHostile);
            status.mutable_store()->set_directory("/");
            status.mutable_store()->set_error(kHostile);
            status.add_clients()->set_name(kHostile);
        } else if (request.has_list_devices()) {
            response.mutable_list_devices()->add_devices()->set_name(kHostile);
        } else if (request.has_get_graph()) {
            response.mutable_get_graph()->set_document("{ \"nodes\": [], \"" + kHostile.substr(5) + "\": 1 }\n");
        } else {
            return std::nullopt;
        }
        return Reply{.bytes = frame(response)};
    }};
    const std::string status = rtad.run({"status"}).out;
    EXPECT_EQ(printable(status, "\n"), status);
    EXPECT_TRUE(has(status, kHarmless)) << status;
    EXPECT_TRUE(has(rtad.run({"devices"}).out, kHarmless));
    // A document stays valid JSON.
    EXPECT_TRUE(has(rtad.run({"graph", "show"}).out, "\\u009b31m\\u202e")) << rtad.run({"graph", "show"}).out;
    // --json escapes as in JSON.
    const std::string json = rtad.run({"status", "--json"}).out;
    EXPECT_EQ(printable(json, "\n"), json);
    EXPECT_EQ(parse_json<v1::Response>(json).get_status().device().name(), kHostile);
}

TEST(PrintableStream, KeepsCharactersWholeHoweverTheyAreCut) {
    std::ostringstream to;
    PrintableStream stream{to};
    for (const char c : std::string{"a\xC3\xA9\xF0\x9F\x8E\xB5\xE2\x80\xAE\n"}) stream.put(c);
    stream << "\xE2\x80";
    EXPECT_EQ(to.str(), "a\xC3\xA9\xF0\x9F\x8E\xB5\\xe2\\x80\\xae\n");
    stream.flush();
    EXPECT_EQ(to.str(), "a\xC3\xA9\xF0\x9F\x8E\xB5\\xe2\\x80\\xae\n\\xe2\\x80");
}

TEST(Commands, AWrongCommandLineIsFoundBeforeAnythingIsSent) {
    FakeRtad rtad;
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"set", "osc"},
                                               {"set", ""},
                                               {"set", "osc.frequency_hz"},
                                               {"set", "a.b=1", "--ramp", "2Hz"},
                                               {"set", "a.b=1", "--ramp", "nan"},
                                               {"add", "sine", "x", "frequency_hz"},
                                               {"add", "sine", "x", ""},
                                               {"connect", "a", "b", "gain=3"},
                                               {"connect", "a", "b", "gain_db=nan"},
                                               {"connect", "a", "b", "gain_db="},
                                               {"connect", "a", "b", "-6"},
                                               {"play", ""},
                                               {"play", "sine:"},
                                               {"play", "frequency_hz=3"},
                                               {"get", "."},
                                               {"graph", "load", "/nonexistent/file"},
                                               {"graph", "save", ""},
                                               {"import", "eq", "list.txt"},
                                               {"import", "eq", "list.txt", "eq", "osc"},
                                               {"import", "eq", "/nonexistent/file", "eq"},
                                               {"status", "--timeout", "0"},
                                               {"status", "--timeout", "nan"},
                                               {"status", "--timeout", "-3"},
                                               {"status", "--timeout", "1e9"},
                                               {"status", "--socket", "x"}}) {
        const Outcome outcome = rtad.run(words);
        EXPECT_EQ(outcome.exit, Exit::usage) << outcome.out << outcome.err;
        EXPECT_EQ(outcome.out, "");
        EXPECT_TRUE(outcome.err.starts_with("rtactl: ")) << outcome.err;
        EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    }
    EXPECT_EQ(rtad.daemon().requests().size(), 0U);
}

TEST(Commands, WithoutACommandASummaryIsPrinted) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    for (const std::string_view part :
         {"rtad 9.9.9, up 1 h 2 min, 1 client", "null tone.wav, running", "PortAudio has no",
          "mean 2 %, worst 50 %, dropouts: 2 late callbacks, 1 overrun",
          "revision 7, change 11, 3 nodes, 2 connections", "`rtactl unmute`", "rtactl meter", "rtactl --help"})
        EXPECT_TRUE(has(outcome.out, part)) << part << "\n" << outcome.out;
    EXPECT_FALSE(has(outcome.out, "rtactl play")) << "there is a graph";
    EXPECT_LE(std::ranges::count(outcome.out, '\n'), 12) << outcome.out;
    EXPECT_EQ(rtad.run({"status", "--summary"}).out, outcome.out);
    EXPECT_EQ(parse_json<v1::Response>(rtad.run({"--json"}).out).get_status().server_version(), "9.9.9");

    FakeRtad empty{[](const v1::Request& request) -> std::optional<Reply> {
        v1::Response response = ok(request);
        response.mutable_get_status();
        return Reply{.bytes = frame(response)};
    }};
    EXPECT_TRUE(has(empty.run({}).out, "rtactl play sine:frequency_hz=440 gain:gain_db=-12"));
}

TEST(Commands, WithoutADaemonTheSummarySaysHowToStartOne) {
    const Outcome outcome = run_rtactl({"--socket", "/nonexistent"});
    EXPECT_EQ(outcome.exit, Exit::cannot_connect);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(has(outcome.err, "cannot connect to rtad at /nonexistent")) << outcome.err;
    EXPECT_TRUE(has(outcome.err, "is it running? `rtad` starts a daemon, ")) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_FALSE(has(run_rtactl({"--socket", "/nonexistent", "status"}).err, "starts a daemon"));
    EXPECT_EQ(run_rtactl({"--socket"}).exit, Exit::usage);
}

TEST(Commands, AWrongUnitIsFoundBeforeAnythingIsChanged) {
    FakeRtad rtad;
    EXPECT_TRUE(has(rtad.run({"set", "osc.frequency_hz=250ms"}).err,
                    "osc.frequency_hz cannot be set: \"250ms\" is a time; write a frequency"));
    EXPECT_TRUE(has(rtad.run({"play", "sine:frequency_hz=-6dB"}).err, "sine: frequency_hz cannot be set"));
    EXPECT_TRUE(
        has(rtad.run({"add", "sine", "x", "gain_db=nan"}).err, "x: gain_db cannot be set: \"nan\" is not a number"));
    EXPECT_TRUE(has(rtad.run({"add", "sine", "x", "gain_db=1", "gain_db=2"}).err, "given twice"));
    EXPECT_TRUE(has(rtad.run({"set", "osc.channels=2", "--ramp", "5"}).err, "--ramp applies to parameters only"));
    EXPECT_EQ(rtad.run({"set", "osc.frequency_hz=250ms"}).exit, Exit::usage);
    EXPECT_EQ(rtad.run({"set", "osc.gain_db=-6", "--ramp", "99999999"}).err,
              "rtactl: --ramp: \"99999999\" is out of range; expected 0 to 600000 ms\n");
    EXPECT_EQ(rtad.run({"set", "osc.gain_db=-6", "--ramp", "-1"}).exit, Exit::usage);
    EXPECT_EQ(rtad.change_count(), 0U);
    EXPECT_EQ(rtad.run({"set", "osc.gain_db=-6", "--ramp", "600s"}).exit, Exit::done);
}

TEST(Commands, AValueThatIsGivenTwiceIsRefused) {
    FakeRtad rtad;
    const Outcome setting = rtad.run({"set", "osc.channels=2", "vol.channels=2", "osc.channels=3"});
    EXPECT_EQ(setting.exit, Exit::usage);
    EXPECT_EQ(setting.out, "");
    EXPECT_EQ(setting.err, "rtactl: \"osc.channels\" is given twice; expected one value\n");
    EXPECT_EQ(rtad.run({"set", "osc.gain_db=-6", "osc.gain_db=-7"}).exit, Exit::usage);
    EXPECT_EQ(rtad.daemon().requests().size(), 0U);
}

TEST(Commands, ExitStatusDependsOnTheResponseCode) {
    EXPECT_EQ(FakeRtad{refuse_changes(v1::INVALID_ARGUMENT, "no")}.run({"remove", "x"}).exit, Exit::refused);
    EXPECT_EQ(FakeRtad{refuse_changes(v1::DEADLINE_EXCEEDED, "no block runs")}.run({"set", "osc.gain_db=1"}).exit,
              Exit::refused);
    EXPECT_EQ(FakeRtad{refuse_changes(v1::PERMISSION_DENIED, "no")}.run({"remove", "x"}).exit, Exit::not_allowed);
    EXPECT_EQ(FakeRtad{refuse_changes(v1::UNAUTHENTICATED, "no")}.run({"remove", "x"}).exit, Exit::not_allowed);
    const Outcome speechless = FakeRtad{refuse_changes(v1::INTERNAL, "")}.run({"remove", "x"});
    EXPECT_EQ(speechless.err, "rtactl: INTERNAL\n");
}

TEST(Commands, ReportsThatNoDaemonIsRunning) {
    const std::string nobody = "127.0.0.1:" + std::to_string(free_tcp_port());
    const Outcome outcome = run_rtactl({"--host", nobody, "status"});
    EXPECT_EQ(outcome.exit, Exit::cannot_connect);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(has(outcome.err, nobody + " (Connection refused)")) << outcome.err;
    EXPECT_EQ(run_rtactl({"--socket", "/nonexistent", "--json", "status"}).exit, Exit::cannot_connect);
}

TEST(Commands, TellsThatTheOutcomeOfAChangeIsNotKnown) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (request.has_apply_transaction()) return Reply{.close = true};
        return std::nullopt;
    }};
    const Outcome outcome = rtad.run({"remove", "x"});
    EXPECT_EQ(outcome.exit, Exit::cannot_connect);
    EXPECT_TRUE(has(outcome.err, "it is not known whether the change was made")) << outcome.err;
}

TEST(Commands, GraphsAreSavedAndLoaded) {
    const TemporaryDirectory directory;
    const std::string file = directory / "chain.json";
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"graph", "show"}).out, "{ \"nodes\": [] }\n");
    EXPECT_EQ(rtad.run({"graph", "save", "-"}).out, "{ \"nodes\": [] }\n");
    const Outcome saved = rtad.run({"graph", "save", file});
    EXPECT_EQ(saved.out, file + ": 0 nodes, 0 connections, revision 0\n");
    EXPECT_EQ(read_text(file), "{ \"nodes\": [] }\n");
    EXPECT_EQ(rtad.run({"graph", "load", file}).out, "loaded " + file + ": revision 1, takes effect at frame 4096\n");
    EXPECT_EQ(rtad.last_change().apply_transaction().document(), "{ \"nodes\": [] }\n");
    EXPECT_EQ(rtad.run({"graph", "check", "-"}, "{}").out, "standard input: valid, 1 node, 0 connections\n");
    EXPECT_EQ(rtad.last_change().check_graph().document(), "{}");
}

TEST(Commands, AFileThatCannotBeReadOrWrittenIsStatusTwo) {
    FakeRtad rtad;
    for (const std::vector<std::string>& words : {std::vector<std::string>{"graph", "load", "/nonexistent/file"},
                                                  {"graph", "check", "/nonexistent/file"},
                                                  {"graph", "diff", "/nonexistent/file"},
                                                  {"graph", "save", "/nonexistent/file"},
                                                  {"graph", "save", "/dev/full"},
                                                  {"response", "vol", "--svg", "/nonexistent/file"}}) {
        const Outcome outcome = rtad.run(words);
        EXPECT_EQ(outcome.exit, Exit::usage) << outcome.err;
        EXPECT_EQ(outcome.out, "");
        EXPECT_TRUE(outcome.err.starts_with("rtactl: cannot ")) << outcome.err;
    }
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(Commands, FaultsOfADocumentCarryItsName) {
    const TemporaryDirectory directory;
    const std::string file = directory / "chain.json";
    write_text(file, "{\n  x\n}");
    FakeRtad rtad{refuse_changes(v1::INVALID_ARGUMENT, "line 2, column 3: a key must be in quotes")};
    const std::string expected = "rtactl: " + file + ": line 2, column 3: a key must be in quotes\n";
    EXPECT_EQ(rtad.run({"graph", "load", file}).err, expected);
    EXPECT_EQ(rtad.run({"graph", "check", file}).err, expected);

    write_text(file, "{\n  \"\xff\"\n}");
    const Outcome binary = rtad.run({"graph", "load", file});
    EXPECT_EQ(binary.exit, Exit::refused);
    EXPECT_EQ(binary.err, "rtactl: " + file + ": line 2, column 4: invalid UTF-8\n");

    write_text(file, std::string(5'000'000, ' '));
    EXPECT_TRUE(has(rtad.run({"graph", "load", file}).err, "the most that can be sent"));
    EXPECT_EQ(run_rtactl({"--socket", "/nonexistent", "graph", "check", "-"}, "{}").err.find("standard input"),
              std::string::npos)
        << "that there is no daemon is no fault of the document";
}

TEST(Commands, HandlesInvalidArgumentsOfOneMegabyte) {
    FakeRtad rtad;
    const std::string megabyte(1'000'000, 'x');
    EXPECT_EQ(rtad.run({megabyte}).exit, Exit::usage);
    EXPECT_EQ(rtad.run({"get", megabyte}).exit, Exit::refused);
    EXPECT_EQ(rtad.run({"remove", megabyte}).exit, Exit::done) << "it is the daemon's to refuse";
    EXPECT_EQ(rtad.run({"play", "sine:frequency_hz=" + megabyte}).exit, Exit::usage);
    const Outcome too_large = rtad.run({"add", "sine", std::string(4'300'000, 'x')});
    EXPECT_EQ(too_large.exit, Exit::refused);
    EXPECT_TRUE(has(too_large.err, "4 MiB")) << too_large.err;
}

TEST(Commands, HelpAndVersionNeedNoDaemon) {
    EXPECT_TRUE(run_rtactl({"--version"}).out.starts_with("rtactl "));
    EXPECT_TRUE(has(run_rtactl({"--help"}).out, "Usage: rtactl"));
    EXPECT_TRUE(has(run_rtactl({"--help"}).out, "Of these, undo and redo take only --expect and --confirm-within.\n"));
    EXPECT_TRUE(has(run_rtactl({"help", "graph", "save"}).out, "Usage: rtactl graph save FILE"));
    EXPECT_TRUE(has(run_rtactl({"help", "graph"}).out, "graph check FILE"));
    EXPECT_TRUE(has(run_rtactl({"help", "begin"}).out, "Usage: begin"));
    EXPECT_TRUE(has(run_rtactl({"set", "--help"}).out, "--ramp MS"));
    const Outcome unknown = run_rtactl({"help", "pley"});
    EXPECT_EQ(unknown.exit, Exit::usage);
    EXPECT_TRUE(has(unknown.err, "did you mean \"play\"?")) << unknown.err;
}

TEST(Commands, InsertPutsANodeIntoAConnection) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"insert", "gain", "trim", "osc", "vol", "gain_db=-3dB"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(outcome.out, "inserted osc -> trim -> vol: revision 1, takes effect at frame 4096\n");
    EXPECT_EQ(shown(rtad.last_change()),
              "apply_transaction { edits { "
              "edits { add_node { name: \"trim\" type: \"gain\" parameters { key: \"gain_db\" value: -3 } } } "
              "edits { disconnect { from: \"osc:out\" to: \"vol:in\" } } "
              "edits { connect { from: \"osc:out\" to: \"trim\" } } "
              "edits { connect { from: \"trim\" to: \"vol:in\" } } } }");
}

/// The fake with a changed graph.
FakeRtad::Override with_graph(std::function<void(v1::Graph&)> change) {
    return [change = std::move(change)](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_get_graph()) return std::nullopt;
        v1::Response response = ok(request);
        v1::Graph& graph = *response.mutable_get_graph()->mutable_graph();
        graph = fake_graph();
        change(graph);
        return Reply{.bytes = frame(response)};
    };
}

void set_channels(v1::Node& node, double channels) {
    (*node.mutable_settings()->mutable_fields())["channels"].set_number_value(channels);
}

TEST(Commands, InsertKeepsTheGainAndTakesTheWidthOfWhatIsThere) {
    FakeRtad rtad{with_graph([](v1::Graph& graph) {
        set_channels(*graph.mutable_nodes(1), 2);
        graph.mutable_connections(1)->set_gain_db(-6);
    })};
    ASSERT_EQ(rtad.run({"insert", "gain", "trim", "vol:out", "out"}).exit, Exit::done);
    const v1::EditList edits = rtad.last_change().apply_transaction().edits();
    ASSERT_EQ(edits.edits_size(), 4);
    EXPECT_EQ(edits.edits(0).add_node().settings().fields().at("channels").number_value(), 2);
    EXPECT_FALSE(edits.edits(2).connect().has_gain_db());
    EXPECT_EQ(edits.edits(3).connect().gain_db(), -6.0F);
    // An explicit width is not overridden.
    ASSERT_EQ(rtad.run({"insert", "gain", "trim", "vol", "out", "channels=1"}).exit, Exit::done);
    EXPECT_EQ(rtad.last_change()
                  .apply_transaction()
                  .edits()
                  .edits(0)
                  .add_node()
                  .settings()
                  .fields()
                  .at("channels")
                  .number_value(),
              1);
}

TEST(Commands, InsertNamesWhatIsMissing) {
    FakeRtad rtad;
    const Outcome none = rtad.run({"insert", "gain", "trim", "osc", "out"});
    EXPECT_EQ(none.exit, Exit::refused);
    EXPECT_EQ(none.err, "rtactl: connection osc -> out not found\n");
    EXPECT_TRUE(has(rtad.run({"insert", "gain", "trim", "oscc", "vol"}).err, "did you mean \"osc\"?"));
    EXPECT_EQ(rtad.run({"insert", "gain", "trim", "osc", "vol", "gain_db"}).exit, Exit::usage);
    EXPECT_EQ(rtad.run({"insert", "gain", "trim", "osc"}).exit, Exit::usage);
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(Commands, InsertUsesEarlierEditsOfTheTransaction) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"shell"},
                                     "begin\nset vol.channels=2\nrename vol level\ninsert gain trim level out\n"
                                     "insert gain late trim out\ncommit\n");
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    const v1::EditList edits = rtad.last_change().apply_transaction().edits();
    ASSERT_EQ(edits.edits_size(), 10);
    EXPECT_EQ(edits.edits(6).add_node().settings().fields().at("channels").number_value(), 2);
    EXPECT_EQ(edits.edits(7).disconnect().from(), "trim:out");
    EXPECT_EQ(edits.edits(7).disconnect().to(), "out:in");
    EXPECT_EQ(rtad.change_count(), 1U);
}

TEST(Commands, Renames) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"rename", "osc", "tone"}).exit, Exit::done);
    EXPECT_EQ(shown(rtad.last_change()),
              "apply_transaction { edits { edits { rename_node { name: \"osc\" new_name: \"tone\" } } } }");
}

TEST(Commands, MutesNodesAndTheOutput) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"mute", "vol"}).out, "set vol.mute = on\n");
    EXPECT_EQ(shown(rtad.last_change()), "set_parameters { changes { node: \"vol\" parameter: \"mute\" value: 1 } }");
    EXPECT_EQ(rtad.run({"unmute", "vol"}).out, "set vol.mute = off\n");
    EXPECT_EQ(shown(rtad.last_change()), "set_parameters { changes { node: \"vol\" parameter: \"mute\" } }");
    EXPECT_EQ(rtad.run({"mute"}).out, "device output muted from frame 4096; `rtactl unmute` unmutes it\n");
    EXPECT_TRUE(rtad.daemon().requests().back().mute_output().muted());
    EXPECT_EQ(rtad.run({"unmute"}).out, "device output unmuted from frame 4096\n");
    EXPECT_FALSE(rtad.daemon().requests().back().mute_output().muted());
    const Outcome panic = rtad.run({"panic"});
    EXPECT_EQ(panic.out,
              "all processors reset at frame 4096; the device output is muted: `rtactl unmute` unmutes it\n");
    EXPECT_TRUE(rtad.daemon().requests().back().has_panic());
    EXPECT_TRUE(has(rtad.run({"--json", "panic"}).out, "\"panic\":{\"frame\":\"4096\"}"));
}

TEST(Commands, MuteOfANodeIsPartOfATransactionAndOfTheOutputIsNot) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"shell"}, "begin\nmute vol\ncommit\n").exit, Exit::done);
    EXPECT_EQ(rtad.last_change().apply_transaction().edits().edits(0).set_parameter().value(), 1.0F);
    const Outcome output = rtad.run({"shell"}, "begin\nmute\ncommit\n");
    EXPECT_EQ(output.exit, Exit::refused);
    EXPECT_TRUE(has(output.err, "line 2: the device output is not part of the graph")) << output.err;
    EXPECT_EQ(rtad.change_count(), 1U);
}

TEST(Commands, CompensationIsAnEdit) {
    const FakeRtad rtad;
    EXPECT_EQ(rtad.run({"graph", "compensate"}).exit, rtactl::Exit::done);
    EXPECT_EQ(shown(rtad.last_change()),
              "apply_transaction { edits { edits { set_latency_compensation { enabled: true } } } }");
    EXPECT_EQ(rtad.run({"graph", "compensate", "off"}).exit, rtactl::Exit::done);
    EXPECT_EQ(shown(rtad.last_change()), "apply_transaction { edits { edits { set_latency_compensation { } } } }");
    const Outcome wrong = rtad.run({"graph", "compensate", "perhaps"});
    EXPECT_EQ(wrong.exit, rtactl::Exit::usage);
    EXPECT_EQ(wrong.err, "rtactl: graph compensate: invalid value \"perhaps\": expected on or off\n");
}

TEST(Commands, BypassesNodes) {
    FakeRtad rtad;
    for (const std::vector<std::string>& words : {std::vector<std::string>{"bypass", "vol"}, {"bypass", "vol", "on"}}) {
        EXPECT_EQ(rtad.run(words).out, "set vol.bypass = on\n");
        EXPECT_EQ(shown(rtad.last_change()),
                  "set_parameters { changes { node: \"vol\" parameter: \"bypass\" value: 1 } }");
    }
    EXPECT_EQ(rtad.run({"bypass", "vol", "off"}).out, "set vol.bypass = off\n");
    EXPECT_EQ(shown(rtad.last_change()), "set_parameters { changes { node: \"vol\" parameter: \"bypass\" } }");
    EXPECT_TRUE(has(rtad.run({"--json", "bypass", "vol"}).out, "\"frame\":\"4096\""));
    const std::size_t changes = rtad.change_count();
    const Outcome neither = rtad.run({"bypass", "vol", "half"});
    EXPECT_EQ(neither.exit, Exit::usage);
    EXPECT_TRUE(has(neither.err, "bypass: invalid value \"half\": expected on or off")) << neither.err;
    EXPECT_EQ(rtad.run({"bypass"}).exit, Exit::usage);
    EXPECT_EQ(rtad.run({"bypass", "vol", "on", "off"}).exit, Exit::usage);
    EXPECT_EQ(rtad.change_count(), changes);
}

TEST(Commands, BypassIsPartOfATransaction) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"shell"}, "begin\nbypass vol\nbypass vol off\ncommit\n").exit, Exit::done);
    const v1::EditList edits = rtad.last_change().apply_transaction().edits();
    ASSERT_EQ(edits.edits_size(), 2);
    EXPECT_EQ(edits.edits(0).ShortDebugString(), "set_parameter { node: \"vol\" parameter: \"bypass\" value: 1 }");
    EXPECT_EQ(edits.edits(1).ShortDebugString(), "set_parameter { node: \"vol\" parameter: \"bypass\" }");
    EXPECT_EQ(rtad.change_count(), 1U);
}

TEST(Commands, ANodeWithoutTheSwitchIsRefusedByName) {
    FakeRtad rtad;
    const Outcome muted = rtad.run({"mute", "osc"});
    EXPECT_EQ(muted.exit, Exit::refused);
    EXPECT_EQ(muted.out, "");
    EXPECT_EQ(muted.err,
              "rtactl: node \"osc\" (sine) cannot be muted: it has no parameter mute; expected a node with that "
              "parameter, such as a gain, or no NODE for the device output\n");
    EXPECT_TRUE(has(rtad.run({"unmute", "osc"}).err, "node \"osc\" (sine) cannot be unmuted"));
    EXPECT_EQ(
        rtad.run({"bypass", "osc"}).err,
        "rtactl: node \"osc\" (sine) cannot be bypassed: it has no parameter bypass; expected a node whose ports in "
        "and out have the same number of channels\n");
    const Outcome shell = rtad.run({"shell"}, "begin\nmute osc\ncommit\n");
    EXPECT_EQ(shell.exit, Exit::refused);
    EXPECT_TRUE(has(shell.err, "line 2: node \"osc\" (sine) cannot be muted")) << shell.err;
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(Commands, ASwitchIsRefusedWithTheSameSentenceInJson) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"--json", "bypass", "osc"});
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_EQ(outcome.err, "");
    const auto response = parse_json<v1::Response>(outcome.out);
    EXPECT_EQ(response.status().code(), v1::NOT_FOUND);
    EXPECT_TRUE(has(response.status().message(), "node \"osc\" (sine) cannot be bypassed")) << outcome.out;
}

TEST(Commands, MuteWithoutAResponseReportsAnUnknownOutcome) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_mute_output()) return std::nullopt;
        return Reply{.close = true};
    }};
    EXPECT_TRUE(has(rtad.run({"mute"}).err, "it is not known whether the change was made"));
}

TEST(Commands, MeterResetWithoutAResponseReportsAnUnknownOutcome) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_reset_meters()) return std::nullopt;
        return Reply{.close = true};
    }};
    EXPECT_TRUE(has(rtad.run({"meter", "--reset"}).err, "it is not known whether the change was made"));
}

/// Sets the variable during the lifetime of this object.
class HostVariable {
 public:
    explicit HostVariable(const std::string& value) { ::setenv("RTACTL_HOST", value.c_str(), 1); }
    HostVariable(const HostVariable&) = delete;
    HostVariable& operator=(const HostVariable&) = delete;
    ~HostVariable() { ::unsetenv("RTACTL_HOST"); }
};

TEST(Commands, FindsTheDaemonThroughRtactlHost) {
    FakeRtad rtad;
    const std::string address = to_string(rtad.daemon().endpoint());
    {
        const HostVariable variable{address};
        EXPECT_TRUE(has(run_rtactl({"status"}).out, "rtad 9.9.9"));
        // The command line has priority.
        const Outcome socket = run_rtactl({"--socket", "/nonexistent/a.sock", "status"});
        EXPECT_EQ(socket.exit, Exit::cannot_connect);
        EXPECT_TRUE(has(socket.err, "/nonexistent/a.sock")) << socket.err;
    }
    {
        const HostVariable variable{"/nonexistent/b.sock"};
        EXPECT_TRUE(has(run_rtactl({"status"}).err, "/nonexistent/b.sock (No such file"));
        EXPECT_TRUE(has(run_rtactl({"--host", address, "status"}).out, "rtad 9.9.9"));
    }
    {
        const HostVariable variable{"host:port"};
        const Outcome wrong = run_rtactl({"status"});
        EXPECT_EQ(wrong.exit, Exit::usage);
        EXPECT_TRUE(has(wrong.err, "RTACTL_HOST: invalid address \"host:port\"")) << wrong.err;
    }
    EXPECT_TRUE(has(run_rtactl({"--help"}).out, "RTACTL_HOST"));
}

}  // namespace
}  // namespace rta::test
