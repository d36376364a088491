// SPDX-License-Identifier: MIT

#include <gtest/gtest.h>

#include <sstream>

#include "fake_rtad.h"
#include "rtactl/drawing/edit_text.h"
#include "rtactl/drawing/event_text.h"
#include "rtactl/drawing/node_values.h"
#include "rtactl/drawing/text_table.h"
#include "rtactl/drawing/type_page.h"
#include "rtactl/drawing/wording.h"

namespace rta::rtactl {
namespace {

v1::Event changed(std::initializer_list<v1::Edit> edits) {
    v1::Event event;
    event.set_number(12);
    event.mutable_graph_changed()->set_revision(5);
    event.mutable_graph_changed()->set_client_name("someone");
    for (const v1::Edit& edit : edits) *event.mutable_graph_changed()->add_edits() = edit;
    return event;
}

v1::Edit add_edit() {
    v1::Edit edit;
    edit.mutable_add_node()->set_name("osc");
    edit.mutable_add_node()->set_type("sine");
    (*edit.mutable_add_node()->mutable_parameters())["gain_db"] = -6.5F;
    (*edit.mutable_add_node()->mutable_parameters())["frequency_hz"] = 440.0F;
    (*edit.mutable_add_node()->mutable_settings()->mutable_fields())["file"].set_string_value("a b");
    (*edit.mutable_add_node()->mutable_settings()->mutable_fields())["channels"].set_number_value(2);
    return edit;
}

TEST(Print, EditsReadAsTheirCommands) {
    EXPECT_EQ(describe(add_edit()), "add sine osc channels=2 'file=a b' frequency_hz=440 gain_db=-6.5");
    v1::Edit edit;
    edit.mutable_remove_node()->set_name("osc");
    EXPECT_EQ(describe(edit), "remove osc");
    edit.mutable_connect()->set_from("osc");
    edit.mutable_connect()->set_to("mix:in_1");
    EXPECT_EQ(describe(edit), "connect osc mix:in_1");
    edit.mutable_connect()->set_gain_db(-6);
    EXPECT_EQ(describe(edit), "connect osc mix:in_1 gain_db=-6");
    edit.mutable_disconnect()->set_from("osc");
    edit.mutable_disconnect()->set_to("vol");
    EXPECT_EQ(describe(edit), "disconnect osc vol");
    edit.mutable_set_parameter()->set_node("osc");
    edit.mutable_set_parameter()->set_parameter("gain_db");
    edit.mutable_set_parameter()->set_value(-0.1F);
    EXPECT_EQ(describe(edit), "set osc.gain_db=-0.1");
    edit.mutable_set_parameter()->set_ramp_ms(500);
    EXPECT_EQ(describe(edit), "set osc.gain_db=-0.1 --ramp 500");
    edit.mutable_change_settings()->set_node("osc");
    (*edit.mutable_change_settings()->mutable_settings()->mutable_fields())["loop"].set_bool_value(true);
    EXPECT_EQ(describe(edit), "set osc.loop=on");
    edit.mutable_change_settings()->add_defaults("file");
    EXPECT_EQ(describe(edit), "set osc.loop=on  # osc.file: its default again");
    edit.mutable_change_settings()->add_defaults("format");
    edit.mutable_change_settings()->clear_settings();
    EXPECT_EQ(describe(edit), "# osc.file osc.format: their defaults again");
    *edit.mutable_replace_graph() = test::fake_graph();
    EXPECT_EQ(describe(edit), "graph of 3 nodes and 2 connections");
    EXPECT_EQ(describe(v1::Edit{}), "an edit unknown to this version of rtactl");
}

TEST(Print, EventsAreOneLineEach) {
    EXPECT_EQ(describe(changed({add_edit()})),
              "12: revision 5 by \"someone\": add sine osc channels=2 'file=a b' frequency_hz=440 gain_db=-6.5");
    EXPECT_EQ(describe(test::heard(3)), "3: revision 3 takes effect at frame 192");
    v1::Event event;
    event.set_number(4);
    event.mutable_node_faulted()->set_node("osc");
    event.mutable_node_faulted()->set_frame(64);
    EXPECT_EQ(describe(event),
              "4: node osc produced NaN or infinity at frame 64; it is silent until it has been rebuilt");
    event.mutable_device_changed()->mutable_device()->set_kind("null");
    event.mutable_device_changed()->mutable_device()->set_fallback_reason("JACK is gone");
    EXPECT_EQ(describe(event),
              "4: device: null, not running, 0 Hz, 0 in, 0 out (instead of the requested device: JACK is gone)");
    v1::SetParameter& change = *event.mutable_parameters_changed()->add_changes();
    change.set_node("osc");
    change.set_parameter("gain_db");
    change.set_value(-3);
    EXPECT_EQ(describe(event), "4: parameters: set osc.gain_db=-3");
    event.mutable_output_muted()->set_muted(true);
    event.mutable_output_muted()->set_client_name("desk");
    EXPECT_EQ(describe(event), "4: the device output was muted by \"desk\"");
    event.mutable_output_muted()->set_muted(false);
    EXPECT_EQ(describe(event), "4: the device output was unmuted by \"desk\"");
    event.mutable_output_volume_changed()->set_volume_db(-6.5F);
    event.mutable_output_volume_changed()->set_client_name("desk");
    event.mutable_output_volume_changed()->set_author("uid 1000");
    EXPECT_EQ(describe(event), "4: the volume of the device output was set to -6.5 dB by uid 1000 (\"desk\")");
    event.mutable_output_volume_changed()->clear_client_name();
    EXPECT_EQ(describe(event), "4: the volume of the device output was set to -6.5 dB by uid 1000");
    event.mutable_panicked()->set_frame(640);
    EXPECT_EQ(describe(event), "4: panic: all processors reset at frame 640");
    event.clear_event();
    EXPECT_EQ(describe(event), "4: an event unknown to this version of rtactl");
}

void add_level(google::protobuf::RepeatedPtrField<v1::ChannelLevel>& channels, float peak_db, float rms_db) {
    v1::ChannelLevel& level = *channels.Add();
    level.set_peak_db(peak_db);
    level.set_rms_db(rms_db);
}

TEST(Print, TelemetryIsOneLineEach) {
    v1::Event event;
    event.set_telemetry_number(3);
    v1::Levels& levels = *event.mutable_levels();
    levels.set_frame(4'800);
    EXPECT_EQ(describe(event), "levels up to frame 4800: none");
    v1::MeterLevels& meter = *levels.add_meters();
    meter.set_node("vu");
    add_level(*meter.mutable_channels(), 0.5F, -3.01F);
    EXPECT_EQ(describe(event), "levels up to frame 4800: vu peak 0.5, rms -3.0 dB");
    add_level(*levels.mutable_outputs(), -6.02F, -9.03F);
    add_level(*levels.mutable_outputs(), -150.0F, -150.0F);
    EXPECT_EQ(describe(event),
              "levels up to frame 4800: (device) peak -6.0 -inf, rms -9.0 -inf dB; vu peak 0.5, rms -3.0 dB");

    *event.mutable_load() = test::fake_status().load();
    EXPECT_EQ(describe(event), "load up to frame 96000: mean 2 %, p99 5.1 %, worst 50 % of the time for 750 callbacks");
    event.set_telemetry_dropped(2);
    v1::Xruns& xruns = *event.mutable_xruns();
    xruns.set_frame(64);
    xruns.mutable_counts()->set_output_underflows(2);
    xruns.mutable_counts()->set_late_callbacks(1);
    EXPECT_EQ(
        describe(event),
        "dropouts up to frame 64: 2 output underflows, 1 late callback (2 events dropped so far: read too slowly)");
}

TEST(Print, XrunsOfEveryKindHaveTheirName) {
    v1::XrunCounts counts;
    EXPECT_EQ(describe(counts), "none");
    counts.set_input_underflows(1);
    counts.set_input_overflows(2);
    counts.set_output_underflows(3);
    counts.set_output_overflows(4);
    counts.set_late_callbacks(5);
    counts.set_overruns(6);
    EXPECT_EQ(describe(counts),
              "1 input underflow, 2 input overflows, 3 output underflows, 4 output overflows, 5 late callbacks, 6 "
              "overruns");
}

TEST(Print, LevelsHaveOneDecimal) {
    EXPECT_EQ(level_text(0.0F), "0.0");
    EXPECT_EQ(level_text(-0.04F), "0.0");
    EXPECT_EQ(level_text(-12.34F), "-12.3");
    EXPECT_EQ(level_text(-60.0F), "-60.0");
    EXPECT_EQ(level_text(-150.0F), "-inf");
}

TEST(Print, ALineFromAnotherClientCannotBreakTheTerminal) {
    v1::Event event = changed({add_edit()});
    event.mutable_graph_changed()->set_client_name("x\n\x1b[2J");
    EXPECT_EQ(describe(event).find('\n'), std::string::npos);
    EXPECT_EQ(describe(event).find('\x1b'), std::string::npos);
}

TEST(Print, AHugeTransactionIsCutShort) {
    v1::Event event = changed({});
    for (int i = 0; i < 10'000; ++i) *event.mutable_graph_changed()->add_edits() = add_edit();
    EXPECT_NE(describe(event).find("; and 9992 more"), std::string::npos);
    EXPECT_LT(describe(event).size(), 1'000U);
}

TEST(Print, TypesShowDependenciesOnSettings) {
    v1::NodeType type;
    type.set_name("thing");
    v1::ParameterInfo& time = *type.add_parameters();
    time.set_name("time_ms");
    time.set_unit("ms");
    time.set_maximum(10'000);
    time.set_maximum_setting("max_time_ms");
    v1::ParameterInfo& corner = *type.add_parameters();
    corner.set_name("frequency_hz");
    corner.set_unit("Hz");
    corner.set_minimum(5);
    corner.set_maximum(21'609);
    corner.set_maximum_rate_fraction(0.49);
    v1::PortInfo& side_chain = *type.add_inputs();
    side_chain.set_name("side_chain");
    side_chain.set_width(1);
    side_chain.mutable_repeated_by()->set_setting("side_chain");
    std::ostringstream out;
    print_type(out, type);
    EXPECT_NE(out.str().find("0 to 10000 ms, at most max_time_ms"), std::string::npos) << out.str();
    EXPECT_NE(out.str().find("5 to 21609 Hz, 0.49 of the sample rate"), std::string::npos) << out.str();
    v1::NodeTypesResult types;
    *types.add_types() = type;
    EXPECT_NE(types_document(types).find("| `frequency_hz` | 5 Hz to 0.49 of the sample rate |"), std::string::npos);
    EXPECT_NE(out.str().find("1 channel, only if the setting side_chain is on"), std::string::npos) << out.str();
}

TEST(Print, APageOfATypeHasALineOfFactsAndThenTheHelp) {
    v1::NodeType type;
    type.set_name("echo");
    type.set_help("Says it again.");
    type.add_inputs()->set_name("in");
    type.add_outputs()->set_name("out");
    v1::SettingInfo& kind = *type.add_settings();
    kind.set_name("kind");
    kind.set_kind("choice");
    kind.add_choices("tape");
    kind.add_choices("canyon");
    kind.mutable_default_()->set_string_value("tape");
    kind.set_help(
        "Where it comes from, in so many words that they do not fit into one line of a page and must go on in "
        "the next.");
    v1::ParameterInfo& time = *type.add_parameters();
    time.set_name("time_#_ms");
    time.set_unit("ms");
    time.set_minimum(1);
    time.set_maximum(1'000);
    time.set_default_(100);
    time.set_default_factor(1.5F);
    time.set_ramp_law("own");
    time.set_help("How long it takes.");
    time.add_repeated_by()->set_setting("taps");
    std::ostringstream out;
    print_type(out, type);
    EXPECT_EQ(out.str(),
              "echo: Says it again.\n"
              "\nPorts\n"
              "  in   input, width from the setting channels\n"
              "  out  output, width from the setting channels\n"
              "\nSettings (fixed when the node is built)\n"
              "  kind  tape, canyon; default tape\n"
              "        Where it comes from, in so many words that they do not fit into one line of a page and must\n"
              "        go on in the next.\n"
              "\nParameters\n"
              "  time_#_ms  1 to 1000 ms, # from 1 to taps; default 100 ms, then 1.5 times the previous; own ramp\n"
              "             How long it takes.\n"
              "\nExample\n"
              "  rtactl play sine echo:kind=canyon\n");
}

TEST(Print, ARepeatedSettingHasItsCountAndItsExampleHasANumber) {
    v1::NodeType type;
    type.set_name("bank");
    type.add_inputs()->set_name("in");
    type.add_outputs()->set_name("out");
    v1::SettingInfo& bands = *type.add_settings();
    bands.set_name("bands");
    bands.set_kind("integer");
    bands.mutable_default_()->set_number_value(4);
    v1::SettingInfo& kind = *type.add_settings();
    kind.set_name("kind_#");
    kind.set_kind("choice");
    for (const char* const choice : {"peaking", "notch"}) kind.add_choices(choice);
    kind.mutable_default_()->set_string_value("peaking");
    kind.mutable_repeated_by()->set_setting("bands");
    std::ostringstream out;
    print_type(out, type);
    EXPECT_NE(out.str().find("kind_#  peaking, notch, # from 1 to bands; default peaking"), std::string::npos)
        << out.str();
    EXPECT_NE(out.str().find("rtactl play sine bank:kind_1=notch"), std::string::npos) << out.str();
}

TEST(Print, TheExampleOfATypeIsFitForItsPorts) {
    const auto examples = [](const std::vector<const char*>& inputs, const std::vector<const char*>& outputs) {
        v1::NodeType type;
        type.set_name("x");
        for (const char* input : inputs) type.add_inputs()->set_name(input);
        for (const char* output : outputs) type.add_outputs()->set_name(output);
        return example_commands(type);
    };
    using Commands = std::vector<std::string>;
    EXPECT_EQ(examples({}, {"out"}), Commands{"rtactl play x"});
    EXPECT_EQ(examples({"in"}, {}), Commands{"rtactl play sine x"});
    EXPECT_EQ(examples({"a", "b"}, {"out"}),
              (Commands{"rtactl play sine", "rtactl add x x", "rtactl connect sine x:a", "rtactl connect x output"}));
    EXPECT_EQ(examples({"in"}, {"low", "high"}),
              (Commands{"rtactl play sine", "rtactl add x x", "rtactl connect sine x", "rtactl connect x:low output"}));
}

TEST(Print, TablesAlign) {
    TextTable table;
    table.add({"a", "bb", "c"});
    table.add({"aaa", "b", ""});
    table.add({"\u00fc", "b"});
    std::ostringstream out;
    table.print(out, 1);
    EXPECT_EQ(out.str(), " a    bb  c\n aaa  b\n \u00fc    b\n");
}

TEST(Print, CountsInPlainWords) {
    EXPECT_EQ(counted(0, "node"), "0 nodes");
    EXPECT_EQ(counted(1, "node"), "1 node");
    EXPECT_EQ(counted(2, "node"), "2 nodes");
}

}  // namespace
}  // namespace rta::rtactl
