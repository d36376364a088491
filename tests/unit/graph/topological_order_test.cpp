// SPDX-License-Identifier: MIT
#include "graph/topological_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace rta {
namespace {

using Order = std::vector<std::uint32_t>;

TEST(TopologicalOrder, EveryArcLeadsForward) {
    std::mt19937 random{1};
    for (int round = 0; round < 200; ++round) {
        const auto count = std::uniform_int_distribution{1U, 60U}(random);
        Order hidden(count);
        for (std::uint32_t i = 0; i < count; ++i) hidden[i] = i;
        std::ranges::shuffle(hidden, random);
        std::vector<Arc> arcs;
        for (int i = std::uniform_int_distribution{0, 150}(random); i > 0; --i) {
            auto a = std::uniform_int_distribution{0U, count - 1}(random);
            auto b = std::uniform_int_distribution{0U, count - 1}(random);
            if (a == b) continue;
            if (a > b) std::swap(a, b);
            arcs.push_back({hidden[a], hidden[b]});
        }
        const auto order = topological_order(count, arcs);
        ASSERT_TRUE(order);
        std::vector<std::size_t> place(count, count);
        for (std::size_t i = 0; i < order->size(); ++i) place[(*order)[i]] = i;
        for (const std::size_t p : place) ASSERT_LT(p, count) << "every node has its place";
        for (const Arc& arc : arcs) ASSERT_LT(place[arc.from], place[arc.to]);
        EXPECT_EQ(topological_order(count, arcs), order) << "the same again";
    }
}

TEST(TopologicalOrder, AChainRunsToItsEndBeforeTheNextBegins) {
    const Arc arcs[] = {{0, 2}, {1, 3}, {2, 4}, {3, 5}};
    EXPECT_EQ(topological_order(6, arcs), (Order{0, 2, 4, 1, 3, 5}));
}

TEST(TopologicalOrder, NamesTheWholeCycleAndNothingElse) {
    // 0 -> 1 -> 2 -> 3 -> 1, with 4 after the cycle and 5 separate.
    const Arc arcs[] = {{0, 1}, {1, 2}, {2, 3}, {3, 1}, {3, 4}};
    const auto order = topological_order(6, arcs);
    ASSERT_FALSE(order);
    EXPECT_EQ(order.error().nodes, (Order{1, 2, 3}));
}

TEST(TopologicalOrder, EveryReportedCycleIsACycleOfTheGraph) {
    std::mt19937 random{2};
    int cycles = 0;
    for (int round = 0; round < 300; ++round) {
        const std::uint32_t count = 12;
        std::vector<Arc> arcs;
        for (int i = 0; i < 16; ++i) {
            arcs.push_back({std::uniform_int_distribution{0U, count - 1}(random),
                            std::uniform_int_distribution{0U, count - 1}(random)});
        }
        const auto order = topological_order(count, arcs);
        if (order) continue;
        ++cycles;
        const auto& nodes = order.error().nodes;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const std::uint32_t from = nodes[i];
            const std::uint32_t to = nodes[(i + 1) % nodes.size()];
            EXPECT_TRUE(std::ranges::any_of(arcs, [&](const Arc& arc) { return arc.from == from && arc.to == to; }));
        }
    }
    EXPECT_GT(cycles, 50);
}

TEST(TopologicalOrder, AnEmptyGraphIsSorted) { EXPECT_EQ(topological_order(0, {}), Order{}); }

}  // namespace
}  // namespace rta
