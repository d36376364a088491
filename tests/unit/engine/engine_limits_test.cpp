// SPDX-License-Identifier: MIT
// GraphLimits: what a client may make of the graph.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "document/document_size.h"
#include "support/offline_engine.h"

namespace rta {
namespace {

using test::OfflineEngine;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

AddNode gain(const std::string& name) { return {"gain", name, {}, {}}; }
AddNode delay(const std::string& name, double max_time_ms) {
    return {"delay_line", name, {{"max_time_ms", max_time_ms}}, {}};
}

void expect_refused(OfflineEngine& offline, const std::vector<Edit>& edits, std::size_t edit_index,
                    const std::string& words, ErrorCode code = ErrorCode::resource_exhausted) {
    const std::uint64_t revision = offline.engine.revision();
    const GraphSize size = offline.engine.graph().size();
    const auto refused = offline.apply(edits);
    ASSERT_FALSE(refused) << words;
    EXPECT_EQ(refused.error().code, code);
    EXPECT_EQ(refused.error().edit_index, edit_index);
    EXPECT_NE(refused.error().sentence.find(words), std::string::npos) << refused.error().sentence;
    EXPECT_EQ(offline.engine.revision(), revision);
    EXPECT_EQ(offline.engine.graph().size().nodes, size.nodes);
    EXPECT_EQ(offline.engine.graph().size().connections, size.connections);
}

/// Loads a document as the daemon restores a saved one.
void restore(OfflineEngine& offline, const GraphDocument& document) {
    Transaction transaction{.edits = {ReplaceGraph{document}}, .exempt = true};
    auto prepared = offline.engine.prepare(std::move(transaction));
    ASSERT_TRUE(prepared) << prepared.error().sentence;
    const auto ticket = offline.engine.commit(*prepared);
    ASSERT_TRUE(ticket) << ticket.error().sentence;
    offline.settle();
}

GraphDocument chain(std::size_t nodes) {
    OfflineEngine offline;
    std::vector<Edit> edits;
    for (std::size_t i = 0; i < nodes; ++i) edits.emplace_back(gain("g" + std::to_string(i)));
    for (std::size_t i = 1; i < nodes; ++i)
        edits.emplace_back(Connect{"g" + std::to_string(i - 1), "g" + std::to_string(i), {}});
    offline.edit(edits);
    return offline.engine.graph().document();
}

TEST(EngineLimits, TheLastNodeIsAcceptedAndOneMoreIsNot) {
    OfflineEngine offline{{.limits = {.nodes = 3}}};
    offline.edit({gain("a"), gain("b")});
    expect_refused(offline, {gain("c"), gain("d")}, 1, "the graph would have 4 nodes; the limit is 3 (--max-nodes)");
    offline.edit({gain("c")});
    expect_refused(offline, {gain("d")}, 0, "4 nodes");
    // Only the result counts.
    offline.edit({gain("d"), RemoveNode{"a"}});
    GraphDocument document = chain(4);
    expect_refused(offline, {ReplaceGraph{document}}, 0, "4 nodes");
    EXPECT_TRUE(offline.apply({ReplaceGraph{chain(3)}}));
}

TEST(EngineLimits, TheLastConnectionIsAcceptedAndOneMoreIsNot) {
    OfflineEngine offline{{.limits = {.connections = 2}}};
    offline.edit({gain("a"), gain("b"), gain("c"), Connect{"a", "b", {}}});
    expect_refused(offline, {Connect{"b", "c", {}}, Connect{"a", "c", {}}}, 1,
                   "the graph would have 3 connections; the limit is 2 (--max-connections)");
    offline.edit({Connect{"b", "c", {}}});
    expect_refused(offline, {Connect{"a", "c", {}}}, 0, "3 connections");
    EXPECT_TRUE(offline.apply({Connect{"a", "b", -6.0F}})) << "changes the gain of a connection";
    EXPECT_TRUE(offline.apply({Disconnect{"a", "b"}, Connect{"a", "c", {}}}));
}

TEST(EngineLimits, MemoryIsAddedUpOverTheGraphAndItsNodesAreNotBuiltInVain) {
    // A line of 1 s takes 188 KiB, and 64 KiB in addition.
    OfflineEngine offline{{.limits = {.memory_bytes = kMiB}}};
    offline.edit({delay("a", 1'000), delay("b", 1'000), delay("c", 1'000), delay("d", 1'000)});
    EXPECT_LT(offline.engine.graph().size().memory_bytes, kMiB);
    expect_refused(offline, {SetParameter{"a", "mix", 0.5F, {}}, delay("e", 1'000)}, 1,
                   "; the limit is 1 MiB (--max-graph-memory)");
    // The new nodes alone exceed it: found by prepare().
    const auto prepared = offline.engine.prepare({.edits = {delay("e", 2'000), delay("f", 10'000)}});
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().edit_index, 1U);
    EXPECT_NE(prepared.error().sentence.find("node \"f\": needs 2 MiB of memory (3 MiB with the nodes before it)"),
              std::string::npos)
        << prepared.error().sentence;
    EXPECT_TRUE(offline.apply({RemoveNode{"a"}, delay("e", 1'000)}));
    // Other settings, other memory.
    expect_refused(offline, {ChangeSettings{"e", {{"max_time_ms", 9'000.0}}}}, 0, "--max-graph-memory");
    EXPECT_TRUE(offline.apply({ChangeSettings{"e", {{"max_time_ms", 900.0}}}}));
}

TEST(EngineLimits, WithoutALimitMemoryIsWhatTheMachineHas) {
    OfflineEngine offline;
    EXPECT_TRUE(offline.apply({delay("a", 10'000), delay("b", 10'000)}));
    EXPECT_GT(offline.engine.graph().size().memory_bytes, 3 * kMiB);
}

TEST(EngineLimits, CompensatingDelaysHaveTheGivenLimit) {
    const auto edits = [](double look_ahead_ms) -> std::vector<Edit> {
        const Settings wide{{"channels", 64.0}};
        return {AddNode{"sine", "in", wide, {}},
                AddNode{"limiter", "lim", {{"channels", 64.0}, {"look_ahead_ms", look_ahead_ms}}, {}},
                AddNode{"gain", "straight", wide, {}},
                AddNode{"output", "out", wide, {}},
                Connect{"in", "lim", {}},
                Connect{"lim", "out", {}},
                Connect{"in", "straight", {}},
                SetLatencyCompensation{true},
                Connect{"straight", "out", {}}};
    };
    // The bound is 1 MiB: 262,144 samples, or 64 channels of 4,096. 20 ms at 192 kHz are 3,840 frames; two take more.
    OfflineEngine offline{{.sample_rate_hz = 192'000.0, .limits = {.delay_bytes = kMiB}}};
    offline.edit(edits(20.0));
    expect_refused(offline,
                   {AddNode{"gain", "second", {{"channels", 64.0}}, {}}, Connect{"in", "second", {}},
                    Connect{"second", "out", {}}},
                   2, "latency_compensation needs 2 MiB of delays: the limit is 1 MiB (--max-delay-memory)",
                   ErrorCode::failed_precondition);
    EXPECT_TRUE(offline.apply({SetLatencyCompensation{false}}));
}

TEST(EngineLimits, TheDocumentHasTheGivenLimit) {
    const std::size_t limit = OfflineEngine{}.engine.graph().document_bytes() + 300;
    OfflineEngine offline{{.limits = {.document_bytes = limit}}};
    offline.edit({gain("a")});
    std::vector<Edit> edits;
    for (int i = 0; i < 4; ++i) edits.emplace_back(gain("gain_with_a_long_name_" + std::to_string(i)));
    const auto refused = offline.apply(edits);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().sentence.find("expected at most " + std::to_string(limit)), std::string::npos);
    EXPECT_NE(refused.error().sentence.find("--max-document-size"), std::string::npos);
    EXPECT_TRUE(refused.error().edit_index);
}

TEST(EngineLimits, AGraphThatExceedsThemIsRestoredAndCanBeEditedButNotEnlarged) {
    OfflineEngine offline{{.limits = {.nodes = 3, .connections = 1, .memory_bytes = 1, .document_bytes = 100}}};
    restore(offline, chain(5));
    ASSERT_EQ(offline.engine.graph().node_count(), 5U);
    ASSERT_EQ(offline.engine.graph().connection_count(), 4U);

    expect_refused(offline, {gain("x")}, 0,
                   "6 nodes; the limit is 3 (--max-nodes), which the graph exceeds already: it can be edited, but not "
                   "enlarged");
    expect_refused(offline, {Connect{"g0", "g2", {}}}, 0, "5 connections; the limit is 1");
    EXPECT_TRUE(offline.apply({SetParameter{"g0", "gain_db", -3.0F, {}}}));
    EXPECT_TRUE(offline.apply({RemoveNode{"g0"}, gain("x0")})) << "one for another";
    EXPECT_TRUE(offline.apply({ReplaceGraph{offline.engine.graph().document()}})) << "loads the same again";
    EXPECT_TRUE(offline.apply({RemoveNode{"x0"}}));
    expect_refused(offline, {gain("x0")}, 0, "5 nodes; the limit is 3");
    // A large transaction, which a worker applies to a snapshot.
    auto prepared = offline.engine.prepare({.edits = {gain("y")}}, offline.engine.snapshot());
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, ErrorCode::resource_exhausted);
}

TEST(EngineLimits, WhatTheOtherHasAddedCounts) {
    OfflineEngine offline{{.limits = {.nodes = 2}}};
    offline.edit({gain("a")});
    auto prepared = offline.engine.prepare({.edits = {RenameNode{"a", "b"}, gain("ours")}}, offline.engine.snapshot());
    ASSERT_TRUE(prepared);
    offline.edit({gain("other")});
    EXPECT_EQ(offline.engine.commit(*prepared).error().code, ErrorCode::aborted);
    const auto built = offline.engine.build(*prepared);
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(built.error().edit_index, 1U);
}

TEST(EngineLimits, NoDocumentHasMoreElementsThanTheWidestLimits) {
    // The shortest entries have names of one letter.
    std::size_t shortest_node = kLongestDocument;
    for (const NodeType* type : builtin_nodes().types()) {
        AudioGraph graph;
        auto description = NodeDescription::make(*type, "a", {});
        ASSERT_TRUE(description);
        ASSERT_TRUE(graph.add_node(NodeId{1}, *description, (*description)->parameter_values({}).value()));
        shortest_node = std::min(shortest_node, graph.document_bytes() - kEmptyDocumentBytes);
    }
    EXPECT_LT(kLongestDocument / shortest_node, GraphLimits::kMostElements);
    EXPECT_LT(kLongestDocument / (kConnectionBytes + 2), GraphLimits::kMostElements);
}

}  // namespace
}  // namespace rta
