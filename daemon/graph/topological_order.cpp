// SPDX-License-Identifier: MIT
#include "graph/topological_order.h"

#include <algorithm>

namespace rta {
namespace {

/// Outgoing arcs of all nodes in one array: those of node n are at first[n] .. first[n + 1] - 1, in the order of the
/// arcs.
struct Adjacency {
    std::vector<std::uint32_t> first;
    std::vector<std::uint32_t> targets;

    Adjacency(std::uint32_t node_count, std::span<const Arc> arcs) : first(node_count + 1, 0), targets(arcs.size()) {
        for (const Arc& arc : arcs) ++first[arc.from + 1];
        for (std::uint32_t n = 0; n < node_count; ++n) first[n + 1] += first[n];
        std::vector<std::uint32_t> next(first.begin(), first.end() - 1);
        for (const Arc& arc : arcs) targets[next[arc.from]++] = arc.to;
    }

    [[nodiscard]] std::span<const std::uint32_t> of(std::uint32_t node) const {
        return std::span{targets}.subspan(first[node], first[node + 1] - first[node]);
    }
};

/// Every node that Kahn's algorithm could not place has an unplaced predecessor. A backward walk from any of them must
/// return to a visited node, and the part of the walk between the two visits is a cycle.
Cycle find_cycle(std::uint32_t node_count, std::span<const Arc> arcs, std::span<const std::uint32_t> missing) {
    constexpr auto kNone = static_cast<std::uint32_t>(-1);
    std::vector<std::uint32_t> predecessor(node_count, kNone);
    for (const Arc& arc : arcs) {
        if (missing[arc.from] != 0 && missing[arc.to] != 0 && predecessor[arc.to] == kNone)
            predecessor[arc.to] = arc.from;
    }
    std::uint32_t node = 0;
    while (missing[node] == 0) ++node;

    std::vector<std::uint32_t> walk;
    std::vector<bool> seen(node_count, false);
    while (!seen[node]) {
        seen[node] = true;
        walk.push_back(node);
        node = predecessor[node];
    }
    walk.erase(walk.begin(), std::find(walk.begin(), walk.end(), node));
    std::ranges::reverse(walk);
    // Start at the node that was added first, so that the same cycle is always reported in the same way.
    std::ranges::rotate(walk, std::ranges::min_element(walk));
    return Cycle{std::move(walk)};
}

}  // namespace

std::expected<std::vector<std::uint32_t>, Cycle> topological_order(std::uint32_t node_count,
                                                                   std::span<const Arc> arcs) {
    const Adjacency outgoing{node_count, arcs};
    std::vector<std::uint32_t> missing(node_count, 0);  // incoming arcs whose source is not placed yet
    for (const Arc& arc : arcs) ++missing[arc.to];

    std::vector<std::uint32_t> ready;
    for (std::uint32_t n = node_count; n-- > 0;) {
        if (missing[n] == 0) ready.push_back(n);
    }
    std::vector<std::uint32_t> order;
    order.reserve(node_count);
    while (!ready.empty()) {
        const std::uint32_t node = ready.back();
        ready.pop_back();
        order.push_back(node);
        for (const std::uint32_t target : outgoing.of(node)) {
            if (--missing[target] == 0) ready.push_back(target);
        }
    }
    if (order.size() == node_count) return order;
    return std::unexpected(find_cycle(node_count, arcs, missing));
}

}  // namespace rta
