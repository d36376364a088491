// SPDX-License-Identifier: MIT
#include "api/events/node_filter.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

v1::Event event(const std::string& text) {
    v1::Event message;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
    return message;
}

/// Returns which of the nodes a to f have a filter that lets the change pass.
std::string passing(const std::string& change) {
    const ConcernedNodes nodes = ConcernedNodes::of(event(change));
    std::string names;
    for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
        if (NodeFilter{{name}}.passes(nodes)) names += name;
    }
    return names;
}

TEST(NodeFilter, PassesTheChangesThatNameANode) {
    const std::string edits[][2] = {
        {"add_node { name: 'a' type: 'sine' }", "a"},
        {"connect { from: 'a:out' to: 'b' }", "ab"},
        {"disconnect { from: 'a' to: 'b:in_2' }", "ab"},
        {"set_parameter { node: 'c' parameter: 'gain_db' }", "c"},
        {"change_settings { node: 'd' }", "d"},
        {"rename_node { name: 'e' new_name: 'f' }", "ef"},
        {"describe { node: 'a' title: 'A' }", "a"},
        {"describe { title: 'the graph' }", "abcdef"},
        {"set_latency_compensation { enabled: true }", "abcdef"},
        {"replace_graph { nodes { name: 'a' type: 'sine' } }", "abcdef"},
        {"", "abcdef"},
    };
    for (const auto& [edit, names] : edits)
        EXPECT_EQ(passing("graph_changed { edits { " + edit + " } }"), names) << edit;
    EXPECT_EQ(passing("graph_changed { edits { describe { node: 'a' } } edits { describe { node: 'f' } } }"), "af");
    EXPECT_EQ(passing("parameters_changed { changes { node: 'b' } changes { node: 'd' } changes { node: 'b' } }"),
              "bd");
    EXPECT_EQ(passing("node_faulted { node: 'c' }"), "c");
}

TEST(NodeFilter, ARemovalConcernsTheNodesThatWereConnected) {
    const std::string removal = "edits { remove_node { name: 'a' } }";
    EXPECT_EQ(passing("graph_changed { " + removal +
                      " inverse { add_node { name: 'a' } } inverse { connect { from: 'a' to: 'c:in' } } }"),
              "ac");
    EXPECT_EQ(passing("graph_changed { " + removal + " }"), "abcdef") << "the inverse does not say which";
}

TEST(NodeFilter, PassesWhatNamesNoNode) {
    for (const char* change : {"transaction_heard { revision: 3 }", "device_changed { }", "output_muted { }",
                               "output_volume_changed { }", "panicked { }", "pending_changed { what: ADDED }"})
        EXPECT_EQ(passing(change), "abcdef") << change;
}

TEST(NodeFilter, OfSeveralNodesPassesWhatOneOfThemPasses) {
    const ConcernedNodes nodes = ConcernedNodes::of(event("parameters_changed { changes { node: 'b' } }"));
    EXPECT_TRUE((NodeFilter{{"z", "b", "a"}}.passes(nodes)));
    EXPECT_FALSE((NodeFilter{{"z", "bb", "a"}}.passes(nodes)));
}

TEST(NodeFilter, RemovesTheTelemetryOfOtherNodes) {
    const NodeFilter filter{{"b", "d"}};
    const auto reduced = [&](const std::string& text) {
        v1::Event message;
        EXPECT_TRUE(message.ParseFromString(filter.reduced(event(text).SerializeAsString())));
        return message.ShortDebugString();
    };
    EXPECT_EQ(
        reduced(
            "levels { frame: 64 outputs { peak_db: -1 } meters { node: 'a' } meters { node: 'b' } meters { node: 'c' } "
            "meters { node: 'd' } }"),
        event("levels { frame: 64 outputs { peak_db: -1 } meters { node: 'b' } meters { node: 'd' } }")
            .ShortDebugString());
    EXPECT_EQ(reduced("node_loads { node_count: 3 nodes { node: 'd' share: 0.2 } nodes { node: 'a' } }"),
              event("node_loads { node_count: 3 nodes { node: 'd' share: 0.2 } }").ShortDebugString());
    for (const char* other : {"load { frame: 9 }", "xruns { frame: 9 }"})
        EXPECT_EQ(reduced(other), event(other).ShortDebugString());
}

}  // namespace
}  // namespace rta::api
