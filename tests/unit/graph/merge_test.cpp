// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "document/document.h"
#include "graph/audio_graph.h"
#include "support/graph_builder.h"

namespace rta {
namespace {

using test::GraphBuilder;

/// Two clients that start from the same graph.
struct Clients {
    GraphBuilder base;
    GraphBuilder edited;
    GraphBuilder current;
    std::uint64_t first_added;

    explicit Clients(const GraphBuilder& start)
        : base{start}, edited{start}, current{start}, first_added{start.next_id()} {}

    bool merge() {
        return current.graph.merge(base.graph, edited.graph, {NodeId{first_added}, current.next_id() - first_added});
    }
};

GraphBuilder mixer() {
    GraphBuilder builder;
    builder.add("constant", "a").add("constant", "b").add("gain", "main");
    builder.connect("a", "main").connect("b", "main");
    return builder;
}

TEST(AudioGraphMerge, BothAddSourcesToOneMixer) {
    Clients clients{mixer()};
    clients.edited.add("constant", "ours").connect("ours", "main");
    clients.current.add("constant", "theirs").connect("theirs", "main");
    ASSERT_TRUE(clients.merge());
    const AudioGraph& merged = clients.current.graph;
    EXPECT_EQ(merged.find("main")->incoming.size(), 4U);
    EXPECT_EQ(merged.connection_count(), 4U);
    EXPECT_LT(merged.find("theirs")->id, merged.find("ours")->id);
    EXPECT_TRUE(clients.current.graph.disconnect("ours", "main"));
    EXPECT_TRUE(clients.current.graph.disconnect("theirs", "main"));
}

TEST(AudioGraphMerge, ParametersOfBothAreKeptAndTheLaterCommitWins) {
    GraphBuilder start;
    start.add("sine", "tone");
    Clients clients{start};
    clients.current.graph.set_parameter(*clients.current.graph.find_parameter("tone", "frequency_hz"), 500.0F);
    clients.current.graph.set_parameter(*clients.current.graph.find_parameter("tone", "gain_db"), -3.0F);
    clients.edited.graph.set_parameter(*clients.edited.graph.find_parameter("tone", "gain_db"), -9.0F);
    ASSERT_TRUE(clients.merge());
    const auto parameters = clients.current.graph.document().nodes.front().parameters;
    EXPECT_EQ(parameters.at("frequency_hz"), 500.0F);
    EXPECT_EQ(parameters.at("gain_db"), -9.0F);
}

TEST(AudioGraphMerge, NamesMayBeExchanged) {
    Clients clients{mixer()};
    for (const auto& [from, to] : {std::pair{"a", "spare"}, {"b", "a"}, {"spare", "b"}})
        clients.edited.rename(from, to);
    ASSERT_TRUE(clients.edited.graph.remove_node("main"));
    clients.edited.add("output", "main");
    const NodeId a = clients.base.graph.find("a")->id;
    ASSERT_TRUE(clients.merge());
    EXPECT_EQ(clients.current.graph.find("b")->id, a);
    EXPECT_EQ(clients.current.graph.device_sinks().size(), 1U);
    EXPECT_EQ(clients.current.graph.connection_count(), 0U);
}

TEST(AudioGraphMerge, WhatBothChangeIsRefused) {
    using Change = void (*)(GraphBuilder&);
    const std::vector<std::pair<Change, Change>> conflicts{
        {[](GraphBuilder& b) { b.rename("a", "x"); }, [](GraphBuilder& b) { b.rename("a", "y"); }},
        {[](GraphBuilder& b) { b.rename("a", "x"); }, [](GraphBuilder& b) { b.add("gain", "x"); }},
        {[](GraphBuilder& b) { b.add("gain", "x"); }, [](GraphBuilder& b) { b.add("gain", "x"); }},
        {[](GraphBuilder& b) { b.add("gain", "x"); }, [](GraphBuilder& b) { b.rename("b", "x"); }},
        {[](GraphBuilder& b) { b.remove("a"); }, [](GraphBuilder& b) { b.remove("a"); }},
        {[](GraphBuilder& b) { b.remove("a"); }, [](GraphBuilder& b) { b.rename("a", "x"); }},
        {[](GraphBuilder& b) { b.rename("a", "x"); }, [](GraphBuilder& b) { b.remove("a"); }},
        {[](GraphBuilder& b) { b.remove("a"); }, [](GraphBuilder& b) { b.add("gain", "x").connect("a", "x"); }},
        {[](GraphBuilder& b) { b.add("gain", "x").connect("a", "x"); }, [](GraphBuilder& b) { b.remove("a"); }},
        {[](GraphBuilder& b) { EXPECT_TRUE(b.graph.disconnect("a", "main")); },
         [](GraphBuilder& b) { EXPECT_TRUE(b.graph.connect("a", "main", -6.0F)); }},
        {[](GraphBuilder& b) { EXPECT_TRUE(b.graph.connect("a", "main", -6.0F)); },
         [](GraphBuilder& b) { EXPECT_TRUE(b.graph.connect("a", "main", -6.0F)); }},
    };
    for (std::size_t i = 0; i < conflicts.size(); ++i) {
        Clients clients{mixer()};
        conflicts[i].first(clients.edited);
        conflicts[i].second(clients.current);
        EXPECT_FALSE(clients.merge()) << i;
    }
}

TEST(AudioGraphMerge, SeveralConnectionsOfTwoNodesAreCounted) {
    GraphBuilder start;
    start.add("constant", "a").add("mixer", "m", {{"inputs", 4.0}}).add("output", "o").connect("a", "m:in_1");
    start.connect("a", "m:in_2");
    Clients clients{start};
    ASSERT_TRUE(clients.edited.graph.disconnect("a", "m:in_1"));
    clients.edited.connect("a", "m:in_3");
    clients.current.connect("a", "m:in_4");
    clients.current.remove("o");
    ASSERT_TRUE(clients.merge());
    EXPECT_EQ(clients.current.graph.find("a")->outgoing.size(), 3U);
    EXPECT_EQ(clients.current.graph.connection_count(), 3U);
    EXPECT_TRUE(clients.current.graph.device_sinks().empty());
}

/// Edits at random, each name and connection at most once, so that no edit is undone by another.
class RandomEdits {
 public:
    /// A client that edits a node by its name does not find it if the other client has renamed it.
    enum class Renames : bool { no, yes };
    RandomEdits(std::uint32_t seed, std::string prefix, Renames renames)
        : random_{seed}, prefix_{std::move(prefix)}, renames_{renames} {}

    struct Edit {
        int kind;
        std::string a;
        std::string b;
        float value;
    };

    [[nodiscard]] std::vector<Edit> draw(const GraphBuilder& start) {
        std::vector<std::string> names;
        for (const auto& node : start.graph.nodes()) names.push_back(node->name());
        std::vector<Edit> edits;
        std::set<std::string> touched;
        for (std::size_t n = 1 + random_() % 5; n > 0; --n) {
            Edit edit{static_cast<int>(random_() % 8), names[random_() % names.size()], names[random_() % names.size()],
                      -1.0F - static_cast<float>(random_() % 1000) / 100.0F};
            if (edit.kind == 0 || edit.kind == 2 || edit.kind >= 6) edit.b = prefix_ + std::to_string(n);
            const bool a_is_new = touched.insert(edit.a).second;
            const bool b_is_new = touched.insert(edit.b).second;
            if (!(a_is_new && b_is_new) && edit.kind != 0) continue;
            if (edit.kind == 2 && renames_ == Renames::no) continue;
            if (edit.kind == 0) names.push_back(edit.b);
            edits.push_back(std::move(edit));
        }
        return edits;
    }

    static bool apply(GraphBuilder& builder, const std::vector<Edit>& edits) {
        return std::ranges::all_of(edits, [&](const Edit& edit) {
            AudioGraph& graph = builder.graph;
            switch (edit.kind) {
                case 0:
                    if (graph.find(edit.b) != nullptr || graph.find(edit.a) == nullptr) return false;
                    builder.add("gain", edit.b);
                    return graph.connect(edit.a, edit.b, {}).has_value();
                case 1:
                    return graph.remove_node(edit.a).has_value();
                case 2:
                    if (graph.find(edit.b) != nullptr || graph.find(edit.a) == nullptr) return false;
                    builder.rename(edit.a, edit.b);
                    return true;
                case 3:
                    return graph.connect(edit.a, edit.b, edit.value).has_value();
                case 4:
                    return graph.disconnect(edit.a, edit.b).has_value();
                case 5: {
                    const auto place = graph.find_parameter(edit.a, "gain_db");
                    if (place) graph.set_parameter(*place, edit.value);
                    return place.has_value();
                }
                case 6:
                    return annotate_node(graph, edit.a, {.title = edit.b, .description = {}});
                default:
                    return annotate_graph(graph, edit);
            }
        });
    }

 private:
    static bool annotate_node(AudioGraph& graph, const std::string& name, Annotation annotation) {
        const GraphNode* const node = graph.find(name);
        return node != nullptr &&
               graph.rename_node(name, node->description->with_annotation(std::move(annotation)).value()).has_value();
    }
    /// One of the two texts, so that both clients may change the graph.
    static bool annotate_graph(AudioGraph& graph, const Edit& edit) {
        Annotation annotation = graph.annotation();
        (edit.value < -6.0F ? annotation.title : annotation.description) = edit.b;
        return graph.set_annotation(std::move(annotation)).has_value();
    }

    std::mt19937 random_;
    std::string prefix_;
    Renames renames_;
};

/// Every connection is in the lists of both of its nodes, and counted once.
void expect_consistent(const AudioGraph& graph, std::uint32_t seed) {
    std::multiset<std::pair<NodeId, NodeId>> by_destination;
    std::multiset<std::pair<NodeId, NodeId>> by_source;
    for (const auto& node : graph.nodes()) {
        EXPECT_EQ(graph.find(node->name()), node.get()) << "seed " << seed;
        EXPECT_TRUE(std::ranges::is_sorted(
            node->incoming, {},
            [](const IncomingConnection& connection) { return std::tuple{connection.to_port, connection.from}; }))
            << "seed " << seed;
        for (const auto& connection : node->incoming) by_destination.emplace(connection.from.node, node->id);
        for (const NodeId to : node->outgoing) by_source.emplace(node->id, to);
    }
    EXPECT_EQ(by_destination, by_source) << "seed " << seed;
    EXPECT_EQ(by_destination.size(), graph.connection_count()) << "seed " << seed;
}

TEST(AudioGraphMerge, TheTitleOfOneAndTheDescriptionOfTheOtherAreKept) {
    Clients clients{mixer()};
    ASSERT_TRUE(clients.edited.graph.set_annotation({.title = "ours", .description = {}}));
    ASSERT_TRUE(clients.current.graph.set_annotation({.title = "theirs", .description = "longer than the title"}));
    ASSERT_TRUE(clients.merge());
    EXPECT_EQ(clients.current.graph.annotation(), (Annotation{"ours", "longer than the title"}));
    EXPECT_GE(clients.current.graph.document_bytes(), write_document(clients.current.graph.document()).size());
}

TEST(AudioGraphMerge, RandomEditsEndAsIfTheyHadBeenAppliedAfterTheOthers) {
    int merged_count = 0;
    int refused_count = 0;
    for (std::uint32_t seed = 1; seed <= 4000; ++seed) {
        std::mt19937 random{seed};
        GraphBuilder start;
        for (int n = 0; n < 12; ++n) start.add("gain", "n" + std::to_string(n));
        for (int n = 0; n < 14; ++n) {
            static_cast<void>(
                start.graph.connect("n" + std::to_string(random() % 12), "n" + std::to_string(random() % 12), {}));
        }
        const auto ours = RandomEdits{seed, "o", RandomEdits::Renames::yes}.draw(start);
        const auto theirs =
            RandomEdits{seed + 1'000'000, seed % 3 == 0 ? "o" : "t", RandomEdits::Renames::no}.draw(start);
        Clients clients{start};
        if (!RandomEdits::apply(clients.edited, ours) || !RandomEdits::apply(clients.current, theirs)) continue;
        GraphBuilder in_order{clients.current};
        const bool applies = RandomEdits::apply(in_order, ours);
        if (!clients.merge()) {
            ++refused_count;
            continue;
        }
        ++merged_count;
        ASSERT_TRUE(applies) << "seed " << seed;
        EXPECT_EQ(write_document(clients.current.graph.document()), write_document(in_order.graph.document()))
            << "seed " << seed;
        expect_consistent(clients.current.graph, seed);
    }
    EXPECT_GT(merged_count, 300);
    EXPECT_GT(refused_count, 50);
}

}  // namespace
}  // namespace rta
