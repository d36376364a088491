// SPDX-License-Identifier: MIT
#include "rta/graph_mirror.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fake_rtad.h"
#include "rta/edits.h"

namespace rta::rtactl {
namespace {

GraphMirror known() { return GraphMirror{test::fake_graph(), test::fake_types()}; }

using Settings = std::initializer_list<std::pair<const char*, google::protobuf::Value>>;

google::protobuf::Value number(double value) {
    google::protobuf::Value result;
    result.set_number_value(value);
    return result;
}

google::protobuf::Value text(const char* value) {
    google::protobuf::Value result;
    result.set_string_value(value);
    return result;
}

/// Returns a mirror of a node `eq` with these settings. Its type has `bands` settings `kind_#`, 2 by default.
GraphMirror with_bands(const Settings& settings) {
    v1::NodeTypesResult types;
    v1::NodeType& type = *types.add_types();
    type.set_name("equalizer");
    v1::SettingInfo& kind = *type.add_settings();
    kind.set_name("kind_#");
    *kind.mutable_default_() = text("peaking");
    kind.mutable_repeated_by()->set_setting("bands");
    v1::SettingInfo& bands = *type.add_settings();
    bands.set_name("bands");
    *bands.mutable_default_() = number(2);
    v1::Graph graph;
    v1::Node& eq = *graph.add_nodes();
    eq.set_name("eq");
    eq.set_type("equalizer");
    for (const auto& [name, value] : settings) (*eq.mutable_settings()->mutable_fields())[name] = value;
    return GraphMirror{graph, types};
}

/// Changes settings of `eq`; returns the names of the settings that it has after that.
std::vector<std::string> names_after(GraphMirror& mirror, const Settings& changes) {
    v1::Edit edit;
    edit.mutable_change_settings()->set_node("eq");
    for (const auto& [name, value] : changes)
        (*edit.mutable_change_settings()->mutable_settings()->mutable_fields())[name] = value;
    mirror.apply(edit);
    std::vector<std::string> names;
    for (const auto& [name, value] : mirror.find("eq")->settings.fields()) names.push_back(name);
    std::ranges::sort(names);
    return names;
}

TEST(GraphMirror, FillsInThePortsThatMayBeLeftOut) {
    const GraphMirror graph = known();
    EXPECT_EQ(graph.full_output("osc"), "osc:out");
    EXPECT_EQ(graph.full_input("vol"), "vol:in");
    EXPECT_EQ(graph.full_input("vol:in"), "vol:in");
    EXPECT_EQ(graph.full_input("osc"), "osc") << "it has no input";
    EXPECT_EQ(graph.full_input("ghost"), "ghost");
    for (const auto& [from, to] : {std::pair{"osc", "vol"}, {"osc:out", "vol"}, {"osc", "vol:in"}})
        EXPECT_EQ(graph.connections(from, to).size(), 1U) << from << to;
    EXPECT_TRUE(graph.connections("osc", "vol:in_2").empty());
    EXPECT_TRUE(graph.connections("vol", "osc").empty());
}

TEST(GraphMirror, FollowsEveryEdit) {
    GraphMirror graph = known();
    graph.apply(connect_edit("osc", "out", -3.0F));
    ASSERT_EQ(graph.connections("osc", "out").size(), 1U);
    EXPECT_EQ(graph.connections("osc", "out")[0].gain_db, -3.0F);
    graph.apply(connect_edit("osc:out", "out:in"));
    ASSERT_EQ(graph.connections("osc", "out").size(), 1U) << "the same connection";
    EXPECT_FALSE(graph.connections("osc", "out")[0].gain_db.has_value());
    graph.apply(disconnect_edit("osc", "vol"));
    EXPECT_TRUE(graph.connections("osc", "vol").empty());

    v1::Edit edit;
    edit.mutable_rename_node()->set_name("osc");
    edit.mutable_rename_node()->set_new_name("tone");
    graph.apply(edit);
    EXPECT_EQ(graph.find("osc"), nullptr);
    ASSERT_NE(graph.find("tone"), nullptr);
    EXPECT_EQ(graph.connections("tone", "out").size(), 1U);

    edit.mutable_change_settings()->set_node("vol");
    (*edit.mutable_change_settings()->mutable_settings()->mutable_fields())["channels"].set_number_value(4);
    graph.apply(edit);
    EXPECT_EQ(graph.find("vol")->settings.fields().at("channels").number_value(), 4);
    edit.mutable_change_settings()->clear_settings();
    edit.mutable_change_settings()->add_defaults("channels");
    graph.apply(edit);
    EXPECT_FALSE(graph.find("vol")->settings.fields().contains("channels"));

    edit.mutable_remove_node()->set_name("out");
    graph.apply(edit);
    EXPECT_TRUE(graph.connections("tone", "out").empty());
    EXPECT_EQ(graph.nodes().size(), 2U);

    edit.mutable_add_node()->set_name("out");
    edit.mutable_add_node()->set_type("output");
    graph.apply(edit);
    EXPECT_EQ(graph.find("out")->type, "output");

    *edit.mutable_replace_graph() = test::fake_graph();
    graph.apply(edit);
    EXPECT_EQ(graph.nodes().size(), 3U);
    EXPECT_EQ(graph.connections("osc", "vol").size(), 1U);
}

TEST(GraphMirror, KnowsTheValueOfEveryParameter) {
    GraphMirror graph = known();
    EXPECT_EQ(graph.parameter("vol", "gain_db"), -12.5F);
    graph.apply(add_node_edit("trim", "gain", {{"mute", 1}}));
    EXPECT_EQ(graph.parameter("trim", "mute"), 1.0F);
    EXPECT_EQ(graph.parameter("trim", "gain_db"), 0.0F) << "the default";
    EXPECT_EQ(graph.parameter("trim", "frequency_hz"), std::nullopt);
    EXPECT_EQ(graph.parameter("ghost", "gain_db"), std::nullopt);
}

TEST(GraphMirror, DropsTheRepeatedSettingsBeyondALoweredCount) {
    using Names = std::vector<std::string>;
    GraphMirror eq = with_bands(
        {{"bands", number(12)}, {"kind_1", text("notch")}, {"kind_2", text("notch")}, {"kind_10", text("lowpass")}});
    EXPECT_EQ(names_after(eq, {{"bands", number(10)}}), (Names{"bands", "kind_1", "kind_10", "kind_2"}));
    EXPECT_EQ(names_after(eq, {{"bands", number(9)}}), (Names{"bands", "kind_1", "kind_2"})) << "compared as numbers";
    EXPECT_EQ(names_after(eq, {{"bands", number(1)}}), (Names{"bands", "kind_1"}));
    EXPECT_EQ(names_after(eq, {{"bands", number(12)}}), (Names{"bands", "kind_1"}))
        << "what was dropped is not restored";
    EXPECT_EQ(names_after(eq, {{"bands", number(1)}, {"kind_2", text("notch")}}), (Names{"bands", "kind_1", "kind_2"}))
        << "what the client names is refused by the daemon";
    GraphMirror unnamed = with_bands({{"kind_2", text("notch")}});
    EXPECT_EQ(names_after(unnamed, {{"kind_1", text("notch")}}), (Names{"kind_1", "kind_2"})) << "2 bands by default";
}

TEST(GraphMirror, AddsAsTheDaemonDoes) {
    GraphMirror graph = known();
    const auto gain_after = [&](auto change) {
        v1::Edit edit;
        edit.mutable_set_parameter()->set_node("vol");
        edit.mutable_set_parameter()->set_parameter("gain_db");
        change(*edit.mutable_set_parameter());
        graph.apply(edit);
        return graph.find("vol")->parameters.at("gain_db");
    };
    gain_after([](v1::SetParameter& change) { change.set_value(-39.9F); });
    EXPECT_EQ(gain_after([](v1::SetParameter& change) { change.set_add(0.1F); }), -39.8F) << "not -39.800003";
    for (int i = 0; i < 97; ++i) gain_after([](v1::SetParameter& change) { change.set_add(0.1F); });
    EXPECT_EQ(gain_after([](v1::SetParameter& change) { change.set_add(0.1F); }), -30.0F);
}

}  // namespace
}  // namespace rta::rtactl
