// SPDX-License-Identifier: MIT
#include "rtactl/language/graph_mirror.h"

#include <gtest/gtest.h>

#include "fake_rtad.h"
#include "rtactl/language/edits.h"

namespace rta::rtactl {
namespace {

GraphMirror known() { return GraphMirror{test::fake_graph(), test::fake_types()}; }

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

}  // namespace
}  // namespace rta::rtactl
