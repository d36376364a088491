// SPDX-License-Identifier: MIT
#include "rtactl/drawing/dot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_rtad.h"
#include "rtactl/drawing/graphviz.h"

namespace rta::rtactl {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kHeader =
    "digraph rtad {\n"
    "    graph [rankdir=LR, ranksep=0.6, nodesep=0.25];\n"
    "    node [shape=plain, fontname=\"sans-serif\", fontsize=12, color=\"#888888\"];\n"
    "    edge [fontname=\"sans-serif\", fontsize=10, fontcolor=\"#666666\", color=\"#444444\", arrowsize=0.7];\n";

std::string small(std::string_view text) {
    return "<font point-size=\"10\" color=\"#666666\">" + std::string{text} + "</font>";
}

/// Returns the line of a node without several ports.
std::string plain_node(std::string_view name, std::string_view type, std::string_view values) {
    return "    \"" + std::string{name} +
           "\" [label=<<table border=\"1\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"4\"><tr><td><b>" +
           std::string{name} + "</b></td></tr><tr><td>" + small(type) +
           "</td></tr><tr><td border=\"1\" sides=\"t\" balign=\"left\">" + small(values) + "</td></tr></table>>];\n";
}

v1::NodeTypesResult types_with_mixer() {
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
    return types;
}

TEST(Dot, ShowsNodesAndGains) {
    v1::Graph graph = test::fake_graph();
    graph.mutable_connections(1)->set_gain_db(-6);
    EXPECT_EQ(to_dot(graph, test::fake_types()), std::string{kHeader} +
                                                     plain_node("osc", "sine", "frequency_hz = 440 Hz") +
                                                     plain_node("vol", "gain", "gain_db = -12.5 dB<br/>mute = on") +
                                                     plain_node("out", "output", "channels = 2") +
                                                     "    \"osc\":e -> \"vol\":w;\n"
                                                     "    \"vol\":e -> \"out\":w [label=\"-6 dB\"];\n"
                                                     "}\n");
}

TEST(Dot, EscapesWhatASettingMayHold) {
    v1::Graph graph;
    v1::Node& node = *graph.add_nodes();
    node.set_name("p");
    node.set_type("player");
    (*node.mutable_settings()->mutable_fields())["file"].set_string_value("a \"b\" {c|d}<e> \\f&\ng\x01");
    EXPECT_EQ(
        to_dot(graph, {}),
        std::string{kHeader} + plain_node("p", "player", "file = a \"b\" {c|d}&lt;e&gt; \\f&amp;<br/>g?") + "}\n");
}

TEST(Dot, ShowsPortsKnownOnlyFromConnections) {
    v1::Graph graph = test::fake_graph();
    graph.mutable_nodes(1)->set_type("mixer");  // not in the table
    graph.mutable_connections(0)->set_to("vol:in_3");
    *graph.add_connections() = graph.connections(0);
    graph.mutable_connections(2)->set_to("vol:in_4");
    const std::string dot = to_dot(graph, test::fake_types());
    EXPECT_THAT(dot, HasSubstr("<td port=\"in_in_3\">" + small("in_3") + "</td>"));
    EXPECT_THAT(dot, HasSubstr("\"osc\":e -> \"vol\":\"in_in_3\":w;"));
    EXPECT_THAT(dot, HasSubstr("\"vol\":e -> \"out\":w;"));
}

TEST(Dot, PutsSeveralPortsAtTheirSideOfTheNode) {
    const v1::NodeTypesResult types = types_with_mixer();
    v1::Graph graph;
    v1::Node& node = *graph.add_nodes();
    node.set_name("mix");
    node.set_type("mixer");
    (*node.mutable_parameters())["gain_1_db"] = 0;
    (*node.mutable_parameters())["gain_2_db"] = -6;
    const std::string two = to_dot(graph, types);
    // The inputs come before the name, over all rows, with a line at their right; the only output is not named.
    EXPECT_THAT(two, HasSubstr("<tr><td rowspan=\"3\" border=\"1\" sides=\"r\" cellpadding=\"0\"><table border=\"0\" "
                               "cellborder=\"0\" cellspacing=\"0\" cellpadding=\"3\"><tr><td port=\"in_in_1\">" +
                               small("in_1") + "</td></tr><tr><td port=\"in_in_2\">" + small("in_2") +
                               "</td></tr></table></td><td><b>mix</b></td></tr>"));
    EXPECT_THAT(two, HasSubstr(small("gain_2_db = -6 dB")));
    EXPECT_THAT(two, Not(HasSubstr("out_out")));
    (*node.mutable_settings()->mutable_fields())["inputs"].set_number_value(1);
    graph.add_connections()->set_from("mix");
    graph.mutable_connections(0)->set_to("mix");
    EXPECT_THAT(to_dot(graph, types), HasSubstr("\"mix\":e -> \"mix\":w")) << "one of many is the only one";
}

TEST(Dot, CutsALongListOfValues) {
    const v1::NodeTypesResult types = types_with_mixer();
    v1::Graph graph;
    v1::Node& node = *graph.add_nodes();
    node.set_name("mix");
    node.set_type("mixer");
    (*node.mutable_settings()->mutable_fields())["inputs"].set_number_value(31);
    for (int i = 1; i <= 31; ++i) (*node.mutable_parameters())["gain_" + std::to_string(i) + "_db"] = -6;
    EXPECT_THAT(to_dot(graph, types), HasSubstr("<br/>and 24 more</font>"));
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
    EXPECT_THAT(to_dot(graph, types), Not(HasSubstr("in_side_chain")));
    (*node.mutable_settings()->mutable_fields())["side_chain"].set_bool_value(true);
    EXPECT_THAT(to_dot(graph, types), HasSubstr("<td port=\"in_in\">"));
    EXPECT_THAT(to_dot(graph, types), HasSubstr("<td port=\"in_side_chain\">"));
}

TEST(Dot, IsAcceptedByGraphviz) {
    v1::Graph graph = test::fake_graph();
    v1::Node& node = *graph.add_nodes();
    node.set_name("p");
    node.set_type("mixer");
    (*node.mutable_settings()->mutable_fields())["file"].set_string_value("a \"b\" {c|d}<e> \\f&\ng\x01 \xC3\xA4");
    const auto svg = draw_svg(to_dot(graph, types_with_mixer()));
    if (!svg && svg.error().find("not installed") != std::string::npos) GTEST_SKIP() << svg.error();
    ASSERT_TRUE(svg) << svg.error();
    EXPECT_THAT(*svg, HasSubstr(">in_2</text>"));
    EXPECT_THAT(*svg, HasSubstr("{c|d}&lt;e&gt; \\f&amp;</text>"));
}

}  // namespace
}  // namespace rta::rtactl
