// SPDX-License-Identifier: MIT
#include "graph/audio_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "support/graph_builder.h"

namespace rta {
namespace {

using test::GraphBuilder;

TEST(AudioGraph, ACopySharesNothingThatIsEdited) {
    GraphBuilder builder;
    builder.add("constant", "one").add("gain", "vol").connect("one", "vol");
    const AudioGraph copy = builder.graph;
    const std::string before = write_document(copy.document());
    builder.graph.set_parameter(*builder.graph.find_parameter("vol", "gain_db"), -6.0F);
    ASSERT_TRUE(builder.graph.disconnect("one", "vol"));
    builder.add("gain", "more").connect("one", "more");
    ASSERT_TRUE(builder.graph.remove_node("vol"));
    EXPECT_EQ(write_document(copy.document()), before);
    EXPECT_EQ(copy.connection_count(), 1U);
    EXPECT_EQ(builder.graph.connection_count(), 1U);
}

TEST(AudioGraph, RemovingANodeRemovesItsConnections) {
    GraphBuilder builder;
    builder.add("constant", "a").add("gain", "b").add("gain", "c").add("gain", "d");
    builder.connect("a", "b").connect("b", "c").connect("b", "d").connect("a", "d");
    ASSERT_TRUE(builder.graph.remove_node("b"));
    EXPECT_EQ(builder.graph.connection_count(), 1U);
    EXPECT_EQ(builder.graph.document().connections.size(), 1U);
    EXPECT_EQ(builder.graph.find("b"), nullptr);
    EXPECT_TRUE(builder.graph.disconnect("a", "d"));
}

TEST(AudioGraph, DeferredCompactionEndsWithTheSameGraph) {
    GraphBuilder together;
    GraphBuilder one_by_one;
    for (GraphBuilder* builder : {&together, &one_by_one}) {
        for (int i = 0; i < 40; ++i) builder->add(i % 7 == 0 ? "output" : "gain", "n" + std::to_string(i));
        for (int i = 1; i < 40; i += i % 7 == 6 ? 2 : 1)
            builder->connect("n" + std::to_string(i), "n" + std::to_string(i / 7 * 7));
    }
    together.graph.defer_compaction();
    for (GraphBuilder* builder : {&together, &one_by_one}) {
        for (int i = 0; i < 40; i += 1 + i % 3) {
            ASSERT_TRUE(builder->graph.remove_node("n" + std::to_string(i))) << i;
            EXPECT_FALSE(builder->graph.remove_node("n" + std::to_string(i))) << i;
        }
        builder->add("gain", "n0").add("output", "last").connect("n0", "last");
        ASSERT_TRUE(builder->graph.remove_node("n0"));
    }
    EXPECT_EQ(together.graph.node_count(), one_by_one.graph.node_count());
    together.graph.compact();
    EXPECT_EQ(write_document(together.graph.document()), write_document(one_by_one.graph.document()));
    EXPECT_TRUE(std::ranges::equal(together.graph.node_ids(), one_by_one.graph.node_ids()));
    EXPECT_TRUE(std::ranges::equal(together.graph.device_sinks(), one_by_one.graph.device_sinks()));
    EXPECT_EQ(together.graph.connection_count(), one_by_one.graph.connection_count());
}

TEST(AudioGraph, AMonoOutputFeedsAWiderInputAndNothingElseMismatches) {
    GraphBuilder builder;
    builder.add("gain", "mono").add("gain", "stereo", {{"channels", 2.0}}).add("gain", "three", {{"channels", 3.0}});
    EXPECT_TRUE(builder.graph.connect("mono", "stereo", {}));
    const auto refused = builder.graph.connect("stereo", "three", {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
    EXPECT_EQ(refused.error().sentence,
              "connection stereo -> three refused: stereo has 2 channels, three has 3 channels; expected equal channel "
              "counts or a mono source");
    EXPECT_FALSE(builder.graph.connect("stereo", "mono", {}));
}

TEST(AudioGraph, ARepeatedConnectSetsTheGainAndAddsNothing) {
    GraphBuilder builder;
    builder.add("gain", "a").add("gain", "b").connect("a", "b");
    ASSERT_TRUE(builder.graph.connect("a", "b:in", -3.0F));
    EXPECT_EQ(builder.graph.connection_count(), 1U);
    EXPECT_EQ(builder.graph.document().connections.at(0).gain_db, -3.0F);
    ASSERT_TRUE(builder.graph.connect("a:out", "b", {}));
    EXPECT_EQ(builder.graph.document().connections.at(0).gain_db, std::nullopt);
}

TEST(AudioGraph, AReplacedNodeRefusesSettingsThatItsParametersDoNotFit) {
    GraphBuilder builder;
    builder.add("delay_line", "echo", {}, {{"time_ms", 400.0F}});
    const std::string before = write_document(builder.graph.document());
    const auto& type = *builtin_nodes().find("delay_line");
    const auto description = NodeDescription::make(type, "echo", {{"max_time_ms", 300.0}});
    ASSERT_TRUE(description);
    const auto refused = builder.graph.replace_node(NodeId{100}, *description);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(refused.error().sentence, R"(node "echo": parameter time_ms = 400 is out of range: 0 to 300 ms)");
    EXPECT_EQ(write_document(builder.graph.document()), before);
}

TEST(AudioGraph, AReplacedNodeRefusesToCutOffConnectionsAndListsThem) {
    GraphBuilder builder;
    builder.add("noise", "src").add("crossover", "x", {{"ways", 4.0}}).connect("src", "x");
    for (int i = 1; i <= 9; ++i)
        builder.add("gain", "g" + std::to_string(i)).connect("x:out_4", "g" + std::to_string(i));
    builder.add("output", "low").connect("x:out_1", "low").connect("x:out_3", "low");
    builder.add("mixer", "mix", {{"inputs", 3.0}}).connect("src", "mix:in_3").connect("src", "mix:in_1");
    const std::string before = write_document(builder.graph.document());
    const auto refusal = [&](const char* type, const char* name, const char* setting, double value) {
        const auto description = NodeDescription::make(*builtin_nodes().find(type), name, {{setting, value}});
        EXPECT_TRUE(description);
        const auto refused = builder.graph.replace_node(NodeId{100}, *description);
        EXPECT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
        EXPECT_EQ(write_document(builder.graph.document()), before);
        return refused.error().sentence;
    };
    const std::string advice = "; disconnect them first, which may be part of the same transaction";
    EXPECT_EQ(refusal("crossover", "x", "ways", 3.0),
              R"(node "x": the settings would remove ports that are connected: x:out_4 -> g1, x:out_4 -> g2, )"
              "x:out_4 -> g3, x:out_4 -> g4, x:out_4 -> g5, x:out_4 -> g6, x:out_4 -> g7, x:out_4 -> g8 and 1 more" +
                  advice);
    EXPECT_NE(refusal("crossover", "x", "ways", 2.0).find("and 2 more"), std::string::npos);
    EXPECT_EQ(refusal("mixer", "mix", "inputs", 2.0),
              R"(node "mix": the settings would remove ports that are connected: src -> mix:in_3)" + advice);
}

TEST(AudioGraph, AReplacedNodeKeepsItsConnectionsAndParameters) {
    GraphBuilder builder;
    builder.add("constant", "a").add("gain", "b").add("output", "c", {{"channels", 2.0}});
    builder.connect("a", "b").connect("b", "c");
    builder.graph.set_parameter(*builder.graph.find_parameter("b", "gain_db"), -7.0F);
    const NodeId before = builder.graph.find("b")->id;
    builder.replace("gain", "b", {{"channels", 2.0}});
    const GraphNode* node = builder.graph.find("b");
    EXPECT_NE(node->id, before);
    EXPECT_EQ(node->parameters[*node->description->layout.find_parameter("gain_db")], -7.0F);
    EXPECT_EQ(node->incoming.size(), 1U);
    EXPECT_EQ(node->outgoing.size(), 1U);
    EXPECT_EQ(builder.graph.connection_count(), 2U);
}

TEST(AudioGraph, ANodeThatFeedsItselfCanBeRemoved) {
    GraphBuilder builder;
    builder.add("gain", "a").add("gain", "b").connect("a", "b").connect("b", "b");
    EXPECT_EQ(builder.graph.connection_count(), 2U);
    ASSERT_TRUE(builder.graph.remove_node("b"));
    EXPECT_EQ(builder.graph.connection_count(), 0U);
    EXPECT_TRUE(builder.graph.order());
}

TEST(AudioGraph, ACycleIsNamedWhole) {
    GraphBuilder builder;
    builder.add("gain", "a").add("gain", "b").add("gain", "c").add("gain", "d");
    builder.connect("a", "b").connect("b", "c").connect("c", "d");
    EXPECT_TRUE(builder.graph.order());
    builder.connect("d", "b");
    const auto order = builder.graph.order();
    ASSERT_FALSE(order);
    EXPECT_EQ(builder.graph.cycle_error(order.error()).sentence,
              "the connections would form a cycle: b -> c -> d -> b");
}

TEST(AudioGraph, OfALongCycleTheFirstNodesAreNamed) {
    GraphBuilder builder;
    for (int i = 0; i < 100; ++i) builder.add("gain", "n" + std::to_string(i));
    for (int i = 0; i < 100; ++i) builder.connect("n" + std::to_string(i), "n" + std::to_string((i + 1) % 100));
    const auto order = builder.graph.order();
    ASSERT_FALSE(order);
    const std::string sentence = builder.graph.cycle_error(order.error()).sentence;
    EXPECT_NE(sentence.find(" -> 88 more -> "), std::string::npos) << sentence;
    EXPECT_LT(sentence.size(), 150U);
}

TEST(AudioGraph, GraphSurvivesADocumentRoundTrip) {
    GraphBuilder builder;
    builder.add("sine", "osc").add("gain", "vol").add("output", "out", {{"channels", 2.0}, {"first_channel", 3.0}});
    builder.connect("osc", "vol").connect("vol", "out");
    ASSERT_TRUE(builder.graph.connect("osc", "out", -12.5F));
    const std::string text = write_document(builder.graph.document());
    const auto read = read_document(text);
    ASSERT_TRUE(read);
    GraphBuilder again;
    for (const auto& node : read->nodes) again.add(node.type, node.name, node.settings, node.parameters);
    for (const auto& connection : read->connections) {
        ASSERT_TRUE(again.graph.connect(connection.from, connection.to, connection.gain_db));
    }
    EXPECT_EQ(write_document(again.graph.document()), text);
}

TEST(AudioGraph, FindsTheIndexOfEveryIdWhereIdsAreMissing) {
    GraphBuilder builder;
    for (int n = 1; n <= 300; ++n) builder.add("gain", "n" + std::to_string(n));
    for (int n = 1; n <= 300; ++n) {
        const bool removed = n % 7 == 0 || (n > 40 && n < 120) || n < 3;
        if (removed) {
            ASSERT_TRUE(builder.graph.remove_node("n" + std::to_string(n)));
        }
    }
    const auto ids = builder.graph.node_ids();
    for (std::uint64_t id = 0; id <= 310; ++id) {
        const auto expected = std::ranges::lower_bound(ids, NodeId{id}) - ids.begin();
        EXPECT_EQ(builder.graph.index_of(NodeId{id}), static_cast<std::size_t>(expected)) << id;
    }
}

}  // namespace
}  // namespace rta
