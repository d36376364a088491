// SPDX-License-Identifier: MIT
// Graphs whose document is as long as it may be.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "document/document_size.h"
#include "support/offline_engine.h"

namespace rta {
namespace {

using test::OfflineEngine;

class EngineDocumentSize : public testing::Test {
 protected:
    /// Adds nodes and lengthens their names, until the graph is as large as it may be.
    void SetUp() override {
        fill("m", "matrix", {{"inputs", 32.0}, {"outputs", 32.0}});
        offline.edit({AddNode{"matrix", "small", {}, {}}});
        fill("f", "gain", {});
        std::vector<Edit> renames;
        for (std::size_t left = room(); left > 0; left -= std::min<std::size_t>(left, 50)) {
            const std::string old = "f" + std::to_string(1'001 + renames.size());
            renames.emplace_back(RenameNode{old, old + std::string(std::min<std::size_t>(left, 50), 'x')});
        }
        offline.edit(renames);
        ASSERT_EQ(room(), 0U);
        offline.settle();
    }
    /// Adds as many nodes of equal size as there is room for.
    void fill(const std::string& prefix, const std::string& type, const Settings& settings) {
        const std::size_t before = room();
        offline.edit({AddNode{type, prefix + "1000", settings, {}}});
        const std::size_t count = room() / (before - room());
        std::vector<Edit> edits;
        for (std::size_t i = 1'001; i <= 1'000 + count; ++i)
            edits.emplace_back(AddNode{type, prefix + std::to_string(i), settings, {}});
        offline.edit(edits);
    }
    [[nodiscard]] std::size_t room() const { return kLongestDocument - offline.engine.graph().document_bytes(); }
    void expect_too_large(const std::vector<Edit>& edits, std::size_t edit_index) {
        const std::size_t nodes = offline.engine.graph().node_count();
        const auto refused = offline.apply(edits);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
        EXPECT_EQ(refused.error().edit_index, edit_index);
        EXPECT_NE(refused.error().sentence.find("at most 16777216 (16 MiB)"), std::string::npos)
            << refused.error().sentence;
        EXPECT_EQ(offline.engine.graph().node_count(), nodes);
        EXPECT_EQ(room(), 0U);
    }

    OfflineEngine offline{{.block_size = 1'024}};
};

TEST_F(EngineDocumentSize, NoEditExceedsTheLimit) {
    const auto written = [&] { return write_document(offline.engine.graph().document()); };
    const std::string before = written();
    EXPECT_LE(before.size(), kLongestDocument);
    expect_too_large({AddNode{"gain", "x", {}, {}}}, 0);
    expect_too_large({AddNode{"gain", "x", {}, {}}, RemoveNode{"x"}, RenameNode{"f1000", "f10000"}}, 2);
    expect_too_large({RenameNode{"small", "smaller"}, SetParameter{"f1000", "gain_db", -1.0F, {}}}, 0);
    expect_too_large({Connect{"f1000", "small:in_1", {}}}, 0);
    expect_too_large({ChangeSettings{"small", {{"inputs", 3.0}}}}, 0);
    expect_too_large({ChangeSettings{"small", {{"inputs", 2.0}}}}, 0);  // the same setting, written out
    GraphDocument document = offline.engine.graph().document();
    document.nodes.push_back({"x", "gain", {}, {}});
    expect_too_large({ReplaceGraph{std::move(document)}}, 0);

    auto prepared = offline.engine.prepare({{Edit{AddNode{"gain", "x", {}, {}}}}});
    ASSERT_TRUE(prepared);
    EXPECT_EQ(offline.engine.check(*prepared).error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(written(), before);

    // What does not exceed it is accepted, however long the numbers are.
    ASSERT_TRUE(offline.apply({AddNode{"gain", "x", {}, {}}, RemoveNode{"x"}, RenameNode{"f1000", "g1000"}}));
    std::vector<SetParameter> edits;
    for (int input = 1; input <= 32; ++input) {
        for (int output = 1; output <= 32; ++output) {
            edits.push_back(
                {"m1000", "gain_" + std::to_string(input) + "_" + std::to_string(output) + "_db", -1.00000056e-7F, {}});
        }
    }
    ASSERT_TRUE(offline.engine.set_parameters(edits));
    EXPECT_EQ(room(), 0U);
    EXPECT_GT(written().size(), before.size() + 8 * edits.size());
    EXPECT_LE(written().size(), kLongestDocument);
}

TEST_F(EngineDocumentSize, WhatTheOtherHasAddedCounts) {
    offline.edit({RemoveNode{"f1000"}});
    auto prepared = offline.engine.prepare({{AddNode{"gain", "ours1", {}, {}}, RenameNode{"ours1", "ours2"}}},
                                           offline.engine.snapshot());
    ASSERT_TRUE(prepared);
    offline.edit({AddNode{"gain", "other", {}, {}}});
    ASSERT_EQ(room(), 0U);
    EXPECT_EQ(offline.engine.commit(*prepared).error().code, ErrorCode::aborted);
    const auto built = offline.engine.build(*prepared);
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(built.error().edit_index, 0U);
    EXPECT_EQ(room(), 0U);
}

}  // namespace
}  // namespace rta
