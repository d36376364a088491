// SPDX-License-Identifier: MIT
#include "rtactl/print.h"

#include <gtest/gtest.h>

#include <sstream>

#include "fake_rtad.h"

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
    *edit.mutable_replace_graph() = test::fake_graph();
    EXPECT_EQ(describe(edit), "graph of 3 nodes and 2 connections");
    EXPECT_EQ(describe(v1::Edit{}), "an edit that this rtactl does not know");
}

TEST(Print, EventsAreOneLineEach) {
    EXPECT_EQ(describe(changed({add_edit()})),
              "12: revision 5 by \"someone\": add sine osc channels=2 'file=a b' frequency_hz=440 gain_db=-6.5");
    EXPECT_EQ(describe(test::heard(3)), "3: revision 3 is heard from frame 192");
    v1::Event event;
    event.set_number(4);
    event.mutable_node_faulted()->set_node("osc");
    event.mutable_node_faulted()->set_frame(64);
    EXPECT_EQ(describe(event),
              "4: node osc produced NaN or infinity at frame 64; it is silent until it has been built anew");
    event.mutable_device_changed()->mutable_device()->set_kind("null");
    event.mutable_device_changed()->mutable_device()->set_fallback_reason("JACK is gone");
    EXPECT_EQ(describe(event),
              "4: device: null, not running, 0 Hz, 0 in, 0 out (in place of the device asked for: JACK is gone)");
    v1::SetParameter& change = *event.mutable_parameters_changed()->add_changes();
    change.set_node("osc");
    change.set_parameter("gain_db");
    change.set_value(-3);
    EXPECT_EQ(describe(event), "4: parameters: set osc.gain_db=-3");
    event.clear_event();
    EXPECT_EQ(describe(event), "4: an event that this rtactl does not know");
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
