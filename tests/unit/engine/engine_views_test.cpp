// SPDX-License-Identifier: MIT
// Nodes without a step, such as splits and merges, in a running engine: faults, edits and times.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "support/offline_engine.h"

namespace rta::test::engine_views_test {
namespace {

bool breaks = false;

/// A constant of 0.5; NaN while `breaks`.
class BreakingProcessor final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const float value = breaks ? std::numeric_limits<float>::quiet_NaN() : 0.5F;
        std::ranges::fill(context.outputs[0].channel(0), value);
    }
};

constexpr std::array<PortSpec, 1> kOut{{{"out", 1}}};
constexpr NodeType kBreaking{.name = "breaking",
                             .help = "Breaks.",
                             .outputs = kOut,
                             .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
                                 return std::make_unique<BreakingProcessor>();
                             }};

const NodeRegistry& registry() {
    static const std::vector<const NodeType*> types = [] {
        std::vector<const NodeType*> all{builtin_nodes().types().begin(), builtin_nodes().types().end()};
        all.push_back(&kBreaking);
        std::ranges::sort(all, {}, &NodeType::name);
        return all;
    }();
    static const NodeRegistry registry{types};
    return registry;
}

/// A faulty source on channel 1 and a tone on channel 2, merged and split again.
std::vector<std::vector<float>> record(bool fails, std::vector<std::string>& faults) {
    OfflineEngine offline{{}, registry()};
    breaks = false;
    offline.load(R"({"nodes": [ {"name": "bad", "type": "breaking"}, {"name": "osc", "type": "sine"},
                                {"name": "merge", "type": "merge", "settings": {"channels": 2}},
                                {"name": "split", "type": "split", "settings": {"channels": 2}},
                                {"name": "vol_1", "type": "gain"}, {"name": "vol_2", "type": "gain"},
                                {"name": "back", "type": "merge", "settings": {"channels": 2}},
                                {"name": "out", "type": "output", "settings": {"channels": 2}} ],
                     "connections": [ {"from": "bad", "to": "merge:in_1"}, {"from": "osc", "to": "merge:in_2"},
                                      {"from": "merge", "to": "split"}, {"from": "back", "to": "out"},
                                      {"from": "split:out_1", "to": "vol_1"}, {"from": "vol_1", "to": "back:in_1"},
                                      {"from": "split:out_2", "to": "vol_2"}, {"from": "vol_2", "to": "back:in_2"} ]})");
    offline.render_blocks(20);
    breaks = fails;
    offline.render_blocks(3);
    breaks = false;
    offline.render_blocks(800);
    faults = offline.faults;
    return offline.recorded;
}

TEST(EngineViews, NanInOneChannelMutesItsSourceAndNoOtherChannel) {
    std::vector<std::string> faults;
    const auto expected = record(false, faults);
    EXPECT_TRUE(faults.empty());
    const auto heard = record(true, faults);
    EXPECT_EQ(faults, std::vector<std::string>{"bad"});
    EXPECT_EQ(heard[1], expected[1]) << "the tone, bit for bit";
    for (const float sample : heard[0]) ASSERT_TRUE(std::isfinite(sample));
    EXPECT_NE(heard[0], expected[0]);
    EXPECT_EQ(heard[0].back(), 0.5F) << "the rebuilt node plays";
}

TEST(EngineViews, AMergeThatOverflowsLeavesTheSignalOfOtherNodesUnchanged) {
    OfflineEngine offline{{}, builtin_nodes(), 3};
    // The sum of two signals at in_1 overflows, which makes the merge faulty. It has the signal of `good` on its other channel, which
    // is also read by an output of its own.
    std::vector<Edit> edits{AddNode{"constant", "good", {}, {{"value", 0.25F}}},
                            AddNode{"constant", "loud", {}, {{"value", 1.0F}}},
                            AddNode{"merge", "merge", {{"channels", 2.0}}, {}},
                            AddNode{"output", "both", {{"channels", 2.0}}, {}},
                            AddNode{"output", "own", {{"first_channel", 3.0}}, {}},
                            Connect{"good", "merge:in_2", {}},
                            Connect{"good", "own", {}},
                            Connect{"merge", "both", {}}};
    std::string last = "loud";
    for (int i = 0; i < 32; ++i) {  // 768 dB: the range of float32 ends at 770.6 dB
        const std::string name = "gain_" + std::to_string(i);
        edits.emplace_back(AddNode{"gain", name, {}, {{"gain_db", 24.0F}}});
        edits.emplace_back(Connect{last, name, {}});
        last = name;
    }
    for (const char* const name : {"a", "b"}) {
        edits.emplace_back(AddNode{"gain", name, {}, {{"gain_db", 1.0F}}});
        edits.emplace_back(Connect{last, name, {}});
        edits.emplace_back(Connect{name, "merge:in_1", {}});
    }
    offline.edit(edits);
    offline.render_blocks(10);
    ASSERT_FALSE(offline.faults.empty());
    EXPECT_EQ(offline.faults.front(), "merge");
    for (const auto& channel : offline.recorded) {
        for (const float sample : channel) ASSERT_TRUE(std::isfinite(sample));
    }
    EXPECT_EQ(std::ranges::count(offline.recorded[2], 0.25F), std::ssize(offline.recorded[2]));
}

TEST(EngineViews, AConnectionThatLeavesUnityGainIsHeardWithoutAClick) {
    OfflineEngine offline;
    offline.load(R"({"nodes": [ {"name": "one", "type": "constant", "parameters": {"value": 0.5}},
                                {"name": "split", "type": "split", "settings": {"channels": 2}},
                                {"name": "merge", "type": "merge", "settings": {"channels": 2}},
                                {"name": "out", "type": "output", "settings": {"channels": 2}} ],
                     "connections": [ {"from": "one", "to": "split"}, {"from": "merge", "to": "out"},
                                      {"from": "split:out_1", "to": "merge:in_2"},
                                      {"from": "split:out_2", "to": "merge:in_1"} ]})");
    offline.settle();
    offline.edit({Connect{"split:out_1", "merge:in_2", -6.0205999F}, Connect{"one", "split", -6.0205999F}});
    offline.settle();
    offline.edit({Connect{"split:out_1", "merge:in_2", 0.0F}, Connect{"one", "split", 0.0F}});
    offline.settle();
    for (const auto& channel : offline.recorded) {
        EXPECT_EQ(channel.front(), 0.5F);
        EXPECT_EQ(channel.back(), 0.5F);
        for (std::size_t i = 1; i < channel.size(); ++i)
            ASSERT_LT(std::abs(channel[i] - channel[i - 1]), 0.5F * 2.0F / 480.0F) << "frame " << i;
    }
    EXPECT_NEAR(std::ranges::min(offline.recorded[0]), 0.25F, 1e-6F) << "one of the two";
    EXPECT_NEAR(std::ranges::min(offline.recorded[1]), 0.125F, 1e-6F) << "both";
}

TEST(EngineViews, ANodeWithoutAStepIsNotTimed) {
    OfflineEngine offline;
    offline.load(R"({"nodes": [ {"name": "one", "type": "constant"},
                                {"name": "split", "type": "split", "settings": {"channels": 2}},
                                {"name": "out", "type": "output"} ],
                     "connections": [ {"from": "one", "to": "split"}, {"from": "split:out_2", "to": "out"} ]})");
    offline.settle();
    offline.engine.watch_node_times(true);
    offline.render_blocks(200);
    for (const NodeTime& time : offline.engine.node_times()) {
        const bool is_view = time.node == offline.engine.graph().find("split")->id;
        EXPECT_EQ(time.block_count == 0, is_view);
    }
}

}  // namespace
}  // namespace rta::test::engine_views_test
