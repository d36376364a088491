// SPDX-License-Identifier: MIT
#include "rtactl/drawing/dot.h"

#include <gtest/gtest.h>

#include "fake_rtad.h"

namespace rta::rtactl {
namespace {

TEST(Dot, ShowsNodesPortsAndGains) {
    v1::Graph graph = test::fake_graph();
    graph.mutable_connections(1)->set_gain_db(-6);
    EXPECT_EQ(
        to_dot(graph, test::fake_types()),
        "digraph rtad {\n"
        "    rankdir=LR;\n"
        "    node [shape=record];\n"
        "    \"osc\" [label=\"osc\\nsine\\nfrequency_hz\\ =\\ 440\\ Hz|{<out_out>out}\"];\n"
        "    \"vol\" [label=\"{<in_in>in}|vol\\ngain\\ngain_db\\ =\\ -12.5\\ dB\\nmute\\ =\\ on|{<out_out>out}\"];\n"
        "    \"out\" [label=\"{<in_in>in}|out\\noutput\\nchannels\\ =\\ 2\"];\n"
        "    \"osc\":\"out_out\" -> \"vol\":\"in_in\";\n"
        "    \"vol\":\"out_out\" -> \"out\":\"in_in\" [label=\"-6 dB\"];\n"
        "}\n");
}

TEST(Dot, EscapesWhatASettingMayHold) {
    v1::Graph graph;
    v1::Node& node = *graph.add_nodes();
    node.set_name("p");
    node.set_type("player");
    (*node.mutable_settings()->mutable_fields())["file"].set_string_value("a \"b\" {c|d}<e> \\f\ng\x01");
    EXPECT_EQ(to_dot(graph, {}),
              "digraph rtad {\n"
              "    rankdir=LR;\n"
              "    node [shape=record];\n"
              "    \"p\" [label=\"p\\nplayer\\nfile\\ =\\ a\\ \\\"b\\\"\\ \\{c\\|d\\}\\<e\\>\\ \\\\f\\ng?\"];\n"
              "}\n");
}

TEST(Dot, ShowsPortsKnownOnlyFromConnections) {
    v1::Graph graph = test::fake_graph();
    graph.mutable_nodes(1)->set_type("mixer");  // not in the table
    graph.mutable_connections(0)->set_to("vol:in_3");
    const std::string dot = to_dot(graph, test::fake_types());
    EXPECT_NE(dot.find("\"vol\" [label=\"{<in_in_3>in_3}|vol\\nmixer"), std::string::npos) << dot;
    EXPECT_NE(dot.find("\"osc\":\"out_out\" -> \"vol\":\"in_in_3\";"), std::string::npos) << dot;
    EXPECT_NE(dot.find("\"vol\" -> \"out\":\"in_in\";"), std::string::npos) << dot;
}

TEST(Dot, NumbersThePortsThatASettingRepeats) {
    v1::NodeTypesResult types = test::fake_types();
    v1::NodeType& mixer = *types.add_types();
    mixer.set_name("mixer");
    v1::SettingInfo& inputs = *mixer.add_settings();
    inputs.set_name("inputs");
    inputs.mutable_default_()->set_number_value(2);
    mixer.add_inputs()->set_name("in_#");
    mixer.mutable_inputs(0)->mutable_repeated_by()->set_setting("inputs");
    mixer.add_outputs()->set_name("out");
    v1::ParameterInfo& gain = *mixer.add_parameters();
    gain.set_name("gain_#_db");
    gain.set_unit("dB");
    gain.add_repeated_by()->set_setting("inputs");

    v1::Graph graph;
    v1::Node& node = *graph.add_nodes();
    node.set_name("mix");
    node.set_type("mixer");
    (*node.mutable_parameters())["gain_1_db"] = 0;
    (*node.mutable_parameters())["gain_2_db"] = -6;
    std::string dot = to_dot(graph, types);
    EXPECT_NE(dot.find("\"mix\" [label=\"{<in_in_1>in_1|<in_in_2>in_2}|mix\\nmixer\\ngain_2_db\\ =\\ -6\\ dB|"),
              std::string::npos)
        << dot;
    (*node.mutable_settings()->mutable_fields())["inputs"].set_number_value(1);
    graph.add_connections()->set_from("mix");
    graph.mutable_connections(0)->set_to("mix");
    EXPECT_NE(to_dot(graph, types).find("\"mix\":\"out_out\" -> \"mix\":\"in_in_1\""), std::string::npos)
        << "one of many is the only one";
}

TEST(Dot, HasThePortsThatASwitchAdds) {
    v1::NodeTypesResult types = test::fake_types();
    v1::NodeType& type = *types.add_types();
    type.set_name("compressor");
    v1::SettingInfo& side_chain = *type.add_settings();
    side_chain.set_name("side_chain");
    side_chain.mutable_default_()->set_bool_value(false);
    type.add_inputs()->set_name("in");
    type.add_inputs()->set_name("side_chain");
    type.mutable_inputs(1)->mutable_repeated_by()->set_setting("side_chain");

    v1::Graph graph;
    v1::Node& node = *graph.add_nodes();
    node.set_name("duck");
    node.set_type("compressor");
    EXPECT_EQ(to_dot(graph, types).find("<in_side_chain>"), std::string::npos);
    (*node.mutable_settings()->mutable_fields())["side_chain"].set_bool_value(true);
    EXPECT_NE(to_dot(graph, types).find("<in_side_chain>"), std::string::npos);
}

}  // namespace
}  // namespace rta::rtactl
