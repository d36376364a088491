// SPDX-License-Identifier: MIT
// Nodes are timed while a client requests it, all of them in turn; the timing does not change the output.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "rt/cycle_counter.h"
#include "support/offline_engine.h"

namespace rta::test::engine_node_times_test {
namespace {

/// Returns pairs of a sine and a gain, summed: includes mixes, and more nodes than are timed in one block.
std::vector<Edit> pairs(int count) {
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}};
    for (int i = 0; i < count; ++i) {
        const std::string name = "n" + std::to_string(i);
        edits.emplace_back(AddNode{"sine", name, {}, {{"frequency_hz", 100.0F + static_cast<float>(i)}}});
        edits.emplace_back(AddNode{"gain", name + "_vol", {}, {{"gain_db", -30.0F}}});
        edits.emplace_back(Connect{name, name + "_vol", {}});
        edits.emplace_back(Connect{name + "_vol", "out", {}});
    }
    return edits;
}

TEST(NodeTimes, AllNodesAreTimedInTurnWhileWatched) {
    ASSERT_TRUE(kHasCycleCounter) << "rt/cycle_counter.h does not know this CPU: nothing can be timed on it";
    for (const std::uint32_t block_size : {16U, 64U, 1'024U}) {
        OfflineEngine offline{{.block_size = block_size}};
        offline.edit(pairs(400));
        offline.settle();
        for (const NodeTime& time : offline.engine.node_times()) ASSERT_EQ(time.block_count, 0U) << "no client asks";
        offline.engine.watch_node_times(true);
        const std::uint32_t blocks = 8'192 / block_size + 1;
        offline.render_blocks(blocks);
        const auto times = offline.engine.node_times();
        EXPECT_EQ(times.size(), 801U);
        for (const NodeTime& time : times) {
            // 16 nodes are timed per block, even if blocks are small.
            EXPECT_GE(time.block_count, 1U);
            EXPECT_LE(time.block_count, 2U + blocks * 16U / 801U) << "of " << blocks << " blocks";
            EXPECT_GT(time.cycles, 0U);
        }
        offline.engine.watch_node_times(false);
        offline.render_blocks(10);
        const auto after = offline.engine.node_times();
        for (std::size_t i = 0; i < times.size(); ++i) EXPECT_EQ(after[i].block_count, times[i].block_count);
    }
}

TEST(NodeTimes, AreNotHeard) {
    std::vector<std::vector<float>> recorded[2];
    for (const bool timed : {false, true}) {
        OfflineEngine offline;
        offline.engine.watch_node_times(timed);
        offline.edit(pairs(50));
        offline.render_blocks(100);
        // Ramps, fades and a new plan.
        const SetParameter change{"n3_vol", "gain_db", -6.0F, {}};
        ASSERT_TRUE(offline.engine.set_parameters(std::span{&change, 1}));
        offline.render_blocks(5);
        offline.edit({RemoveNode{"n7"}, AddNode{"noise", "hiss", {}, {}}, Connect{"hiss", "out", {}}});
        offline.render_blocks(100);
        recorded[timed ? 1 : 0] = offline.recorded;
    }
    EXPECT_EQ(recorded[0], recorded[1]);
}

}  // namespace
}  // namespace rta::test::engine_node_times_test
