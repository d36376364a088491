// SPDX-License-Identifier: MIT
// Parameter changes that are relative to the current value.
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "support/offline_engine.h"

namespace rta::test::engine_relative_test {
namespace {

constexpr const char* kTone = R"({
  "nodes": [ {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 997}},
             {"name": "vol", "type": "gain", "parameters": {"gain_db": -12}},
             {"name": "out", "type": "output"} ],
  "connections": [ {"from": "osc", "to": "vol"}, {"from": "vol", "to": "out"} ] })";

SetParameter add(const char* node, const char* parameter, float value) {
    return {node, parameter, value, {}, SetParameter::Kind::add};
}
SetParameter toggle(const char* node, const char* parameter) {
    return {node, parameter, 0.0F, {}, SetParameter::Kind::toggle};
}

struct EngineRelative : testing::Test {
    [[nodiscard]] float value(const char* node, const char* parameter) const {
        const GraphNode* found = offline.engine.graph().find(node);
        return found->parameters[*found->description->layout.find_parameter(parameter)];
    }
    void load() {
        offline.load(kTone);
        offline.render_blocks(2);
    }
    OfflineEngine offline;
};

TEST_F(EngineRelative, EveryChangeCountsAndTheResultIsReported) {
    load();
    const std::array changes{add("vol", "gain_db", 1.0F),
                             toggle("vol", "mute"),
                             add("vol", "gain_db", 0.5F),
                             toggle("vol", "mute"),
                             SetParameter{"osc", "gain_db", -30.0F, {}},
                             add("osc", "gain_db", -0.5F)};
    std::array<float, changes.size()> results{};
    ASSERT_TRUE(offline.engine.set_parameters(changes, results));
    EXPECT_EQ(results, (std::array{-11.0F, 1.0F, -10.5F, 0.0F, -30.0F, -30.5F}));
    EXPECT_EQ(value("vol", "gain_db"), -10.5F);
    EXPECT_EQ(value("vol", "mute"), 0.0F);
    EXPECT_EQ(value("osc", "gain_db"), -30.5F);
    // Decimal fractions add up as they are written, although a float cannot represent them.
    for (int i = 0; i < 100; ++i) {
        const SetParameter step = add("vol", "gain_db", 0.1F);
        ASSERT_TRUE(offline.engine.set_parameters({&step, 1}));
    }
    EXPECT_EQ(value("vol", "gain_db"), -0.5F);
}

TEST_F(EngineRelative, AChangeDuringARampIsRelativeToItsTarget) {
    load();
    const SetParameter step = add("vol", "gain_db", 6.0F);
    ASSERT_TRUE(offline.engine.set_parameters({&step, 1}));
    offline.render_block();  // the ramp takes 15 blocks
    ASSERT_TRUE(offline.engine.set_parameters({&step, 1}));
    offline.settle();
    EXPECT_EQ(value("vol", "gain_db"), 0.0F);
}

TEST_F(EngineRelative, TheEndsOfTheRangeAreReachedAndNotExceeded) {
    load();
    const SetParameter to_top = add("vol", "gain_db", 36.0F);
    ASSERT_TRUE(offline.engine.set_parameters({&to_top, 1}));
    EXPECT_EQ(value("vol", "gain_db"), 24.0F);
    for (const SetParameter& refused_change :
         {add("vol", "gain_db", 0.1F), add("vol", "gain_db", std::numeric_limits<float>::infinity()),
          add("vol", "gain_db", std::numeric_limits<float>::quiet_NaN()), add("vol", "mute", 1.0F),
          toggle("vol", "gain_db")}) {
        const std::array changes{toggle("vol", "invert"), refused_change};
        const auto refused = offline.engine.set_parameters(changes);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
        EXPECT_EQ(refused.error().edit_index, 1U);
        EXPECT_EQ(value("vol", "gain_db"), 24.0F);
        EXPECT_EQ(value("vol", "invert"), 0.0F) << "all or none";
    }
    const SetParameter above = add("vol", "gain_db", 0.5F);
    EXPECT_EQ(offline.engine.set_parameters({&above, 1}).error().sentence,
              "node \"vol\": parameter gain_db = 24.5 is out of range: -120 to 24 dB (24 plus 0.5)");
    const SetParameter to_bottom = add("vol", "gain_db", -144.0F);
    ASSERT_TRUE(offline.engine.set_parameters({&to_bottom, 1}));
    EXPECT_EQ(value("vol", "gain_db"), -120.0F);
}

TEST_F(EngineRelative, ATransactionAppliesThemInTheOrderOfItsEdits) {
    load();
    auto prepared = offline.engine.prepare(
        {{add("vol", "gain_db", 2.0F), SetParameter{"vol", "gain_db", -40.0F, {}}, add("vol", "gain_db", 3.0F),
          toggle("vol", "mute"), AddNode{"gain", "new", {}, {{"gain_db", -6.0F}}}, add("new", "gain_db", 1.0F)}});
    ASSERT_TRUE(prepared);
    ASSERT_TRUE(offline.engine.commit(*prepared));
    std::vector<std::pair<std::size_t, float>> results;
    for (const RelativeChange& change : prepared->relative_changes())
        results.emplace_back(change.edit_index, change.value);
    EXPECT_EQ(results, (std::vector<std::pair<std::size_t, float>>{{0, -10.0F}, {2, -37.0F}, {3, 1.0F}, {5, -5.0F}}));
    EXPECT_EQ(value("vol", "gain_db"), -37.0F);
    EXPECT_EQ(value("new", "gain_db"), -5.0F);
}

/// Large transactions are applied to an earlier graph first, on a worker.
TEST_F(EngineRelative, AChangeSinceTheSnapshotCounts) {
    load();
    auto prepared = offline.engine.prepare(
        {{add("vol", "gain_db", 1.0F), AddNode{"gain", "new", {}, {}}, add("new", "gain_db", 1.0F)}},
        offline.engine.snapshot());
    ASSERT_TRUE(prepared);
    const SetParameter other = add("vol", "gain_db", 5.0F);
    ASSERT_TRUE(offline.engine.set_parameters({&other, 1}));
    auto ticket = offline.engine.commit(*prepared);
    ASSERT_FALSE(ticket) << "it was applied to another value";
    ASSERT_EQ(ticket.error().code, ErrorCode::aborted);
    ASSERT_TRUE(offline.engine.build(*prepared));
    ticket = offline.engine.commit(*prepared);
    ASSERT_TRUE(ticket) << ticket.error().sentence;
    EXPECT_EQ(value("vol", "gain_db"), -6.0F) << "both changes count";
    ASSERT_EQ(prepared->relative_changes().size(), 2U);
    EXPECT_EQ(prepared->relative_changes()[0].value, -6.0F);
    EXPECT_EQ(prepared->relative_changes()[1].value, 1.0F);
}

}  // namespace
}  // namespace rta::test::engine_relative_test
