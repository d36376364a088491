// SPDX-License-Identifier: MIT
#include "rtactl/context/graph_diff.h"

#include <gtest/gtest.h>

#include "fake_rtad.h"
#include "rtactl/drawing/edit_text.h"

namespace rta::test {
namespace {

using Lines = std::vector<std::string>;

/// Returns the difference between the graph of the fake (osc -> vol -> out) and the same graph after `change`.
template <class Change>
Lines diff(const Change& change) {
    v1::Graph wanted = fake_graph();
    change(wanted);
    Lines lines;
    for (const v1::Edit& edit : rtactl::edits_between(fake_graph(), wanted, fake_types()))
        lines.push_back(rtactl::describe(edit));
    return lines;
}

TEST(GraphDiff, EqualGraphsHaveNoDifference) {
    EXPECT_EQ(diff([](v1::Graph&) {}), Lines{});
    EXPECT_EQ(diff([](v1::Graph& graph) {
                  graph.mutable_connections(0)->set_from("osc:out");
                  graph.mutable_connections(0)->set_gain_db(0);
                  graph.mutable_connections()->SwapElements(0, 1);
                  graph.mutable_nodes()->SwapElements(0, 2);
              }),
              Lines{});
    EXPECT_EQ(diff([](v1::Graph& graph) {
                  (*graph.mutable_nodes(0)->mutable_settings()->mutable_fields())["channels"].set_number_value(1);
                  graph.mutable_nodes(0)->mutable_parameters()->erase("gain_db");
              }),
              Lines{})
        << "what is left out has its default";
}

TEST(GraphDiff, ASettingThatWasDrawnIsKeptUnlessItIsGiven) {
    v1::NodeTypesResult types = fake_types();
    for (v1::NodeType& type : *types.mutable_types()) {
        if (type.name() != "sine") continue;
        v1::SettingInfo& seed = *type.add_settings();
        seed.set_name("seed");
        seed.set_kind("integer");
        seed.mutable_default_()->set_number_value(1);
        seed.set_drawn(true);
    }
    v1::Graph current = fake_graph();
    (*current.mutable_nodes(0)->mutable_settings()->mutable_fields())["seed"].set_number_value(7);
    EXPECT_TRUE(rtactl::edits_between(current, fake_graph(), types).empty());
    v1::Graph wanted = fake_graph();
    (*wanted.mutable_nodes(0)->mutable_settings()->mutable_fields())["seed"].set_number_value(8);
    const auto edits = rtactl::edits_between(current, wanted, types);
    ASSERT_EQ(edits.size(), 1U);
    EXPECT_EQ(rtactl::describe(edits[0]), "set osc.seed=8");
}

TEST(GraphDiff, ParametersThatAreLeftOutGoToTheirDefaults) {
    EXPECT_EQ(diff([](v1::Graph& graph) {
                  graph.mutable_nodes(0)->mutable_parameters()->erase("frequency_hz");
                  (*graph.mutable_nodes(1)->mutable_parameters())["mute"] = 0;
              }),
              (Lines{"set osc.frequency_hz=1000", "set vol.mute=0"}));
}

TEST(GraphDiff, ParametersValidWithOldSettingsAreSetFirst) {
    EXPECT_EQ(diff([](v1::Graph& graph) {
                  (*graph.mutable_nodes(0)->mutable_settings()->mutable_fields())["channels"].set_number_value(2);
                  (*graph.mutable_nodes(0)->mutable_parameters())["gain_db"] = -6;
                  graph.mutable_nodes(2)->clear_settings();
              }),
              (Lines{"set osc.gain_db=-6", "set osc.channels=2", "set out.channels=1"}));
}

TEST(GraphDiff, ConnectionBetweenTwoChangedNodesIsRemovedAndRestored) {
    const auto set_channels = [](v1::Node& node, double channels) {
        (*node.mutable_settings()->mutable_fields())["channels"].set_number_value(channels);
    };
    EXPECT_EQ(diff([&](v1::Graph& graph) {
                  set_channels(*graph.mutable_nodes(0), 2);
                  set_channels(*graph.mutable_nodes(1), 2);
                  graph.mutable_connections(0)->set_gain_db(-6);
              }),
              (Lines{"disconnect osc:out vol:in", "set osc.channels=2", "set vol.channels=2",
                     "connect osc:out vol:in gain_db=-6"}));
}

TEST(GraphDiff, ConnectionsOfARemovedNodeGoWithIt) {
    EXPECT_EQ(diff([](v1::Graph& graph) {
                  graph.mutable_nodes()->DeleteSubrange(1, 1);
                  graph.clear_connections();
                  graph.add_connections()->set_from("osc");
                  graph.mutable_connections(0)->set_to("out");
                  graph.mutable_connections(0)->set_gain_db(-3);
              }),
              (Lines{"remove vol", "connect osc:out out:in gain_db=-3"}));
}

TEST(GraphDiff, ANodeOfAnotherTypeIsAnotherNode) {
    EXPECT_EQ(diff([](v1::Graph& graph) {
                  graph.mutable_nodes(0)->set_type("gain");
                  graph.mutable_nodes(0)->clear_parameters();
              }),
              (Lines{"remove osc", "add gain osc", "connect osc:out vol:in"}));
}

TEST(GraphDiff, CompensationIsSwitched) {
    EXPECT_EQ(diff([](v1::Graph& graph) { graph.set_latency_compensation(true); }), Lines{"graph compensate on"});
}

TEST(GraphDiff, ConnectionsComeGoAndChangeTheirGain) {
    EXPECT_EQ(diff([](v1::Graph& graph) {
                  graph.mutable_connections(0)->set_gain_db(-6);
                  graph.mutable_connections(1)->set_from("osc");
              }),
              (Lines{"disconnect vol:out out:in", "connect osc:out out:in", "connect osc:out vol:in gain_db=-6"}));
}

TEST(GraphDiff, TitlesAreCommentsBecauseNoCommandSetsThem) {
    EXPECT_EQ(
        diff([](v1::Graph& graph) {
            graph.set_title("Foyer");
            graph.mutable_nodes(1)->set_title("Volume");
            graph.mutable_nodes(1)->set_description("Of \"all\".");
        }),
        (Lines{"# title of the graph: \"Foyer\"", R"(# title of vol: "Volume"; description of vol: "Of \"all\".")"}));
    v1::Graph wanted = fake_graph();
    wanted.mutable_nodes(1)->set_description("x");
    const auto edits = rtactl::edits_between(fake_graph(), wanted, fake_types());
    ASSERT_EQ(edits.size(), 1U);
    EXPECT_EQ(edits[0].describe().node(), "vol");
    EXPECT_FALSE(edits[0].describe().has_title()) << "only what differs is set";
    EXPECT_EQ(edits[0].describe().description(), "x");
}

// The daemon sends all parameters of the graph that it has checked.
TEST(GraphDiff, AnAddedNodeIsDescribedWithoutDefaults) {
    EXPECT_EQ(diff([](v1::Graph& graph) {
                  v1::Node& node = *graph.add_nodes();
                  node.set_name("more");
                  node.set_type("gain");
                  (*node.mutable_parameters())["gain_db"] = 0;
                  (*node.mutable_parameters())["mute"] = 1;
              }),
              Lines{"add gain more mute=1"});
}

}  // namespace
}  // namespace rta::test
