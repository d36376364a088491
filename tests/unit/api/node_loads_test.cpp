// SPDX-License-Identifier: MIT
#include "api/events/node_loads.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace rta::api::test {
namespace {

TEST(NodeLoads, AreMeansOfWhatWasTimed) {
    const auto time = [](std::uint64_t id, std::uint64_t cycles, std::uint64_t blocks) {
        return NodeTime{.node = NodeId{id}, .cycles = cycles, .block_count = blocks};
    };
    NodeLoads loads;
    loads.begin(std::vector{time(1, 500, 5), time(2, 0, 0)});
    auto told = loads.heaviest(std::vector{time(1, 1'500, 15), time(2, 600, 2), time(3, 40, 1)}, 1'000.0, 10);
    ASSERT_EQ(told.size(), 3U);
    EXPECT_EQ(told[0].node, NodeId{2});
    EXPECT_DOUBLE_EQ(told[0].share, 0.3);
    EXPECT_DOUBLE_EQ(told[1].share, 0.1) << "what came before it began does not count";
    EXPECT_DOUBLE_EQ(told[2].share, 0.04) << "a node that came later";
    told = loads.heaviest(std::vector{time(1, 2'500, 25), time(2, 600, 2), time(3, 1'040, 2)}, 1'000.0, 2);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].node, NodeId{3});
    EXPECT_DOUBLE_EQ(told[0].share, 1.0);
    EXPECT_DOUBLE_EQ(told[0].average, 0.52);
    EXPECT_EQ(told[1].node, NodeId{2});
    EXPECT_DOUBLE_EQ(told[1].share, 0.3) << "not timed since: as it was";
    told = loads.heaviest(std::vector{time(2, 100, 1)}, 1'000.0, 2);
    ASSERT_EQ(told.size(), 1U) << "the others are gone";
    EXPECT_DOUBLE_EQ(told[0].share, 0.1) << "a processor that was reset starts again";
}

TEST(NodeLoads, ANodeThatIsNoLongerTimedHasNoShare) {
    NodeLoads loads;
    loads.begin({});
    const std::vector<NodeTime> times{{.node = NodeId{1}, .cycles = 500, .block_count = 5}};
    for (int call = 0; call < NodeLoads::kIdleCalls; ++call)
        EXPECT_DOUBLE_EQ(loads.heaviest(times, 1'000.0, 1).at(0).share, 0.1) << "call " << call;
    EXPECT_EQ(loads.heaviest(times, 1'000.0, 1).at(0).share, 0.0) << "a split that has become a view";
}

}  // namespace
}  // namespace rta::api::test
