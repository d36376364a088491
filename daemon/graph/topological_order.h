// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <vector>

namespace rta {

struct Arc {
    std::uint32_t from;
    std::uint32_t to;
};

/// The nodes of one cycle, in the order of its arcs; the last has an arc to the first.
struct Cycle {
    std::vector<std::uint32_t> nodes;
    [[nodiscard]] bool operator==(const Cycle&) const = default;
};

/// Sorts the nodes 0 .. node_count - 1 by Kahn's algorithm; returns a cycle if there is one. [any]
///
/// Deterministic: the same nodes and arcs give the same order. Of the nodes that are ready, the one that became ready
/// last is placed first, so that a chain runs to its end before the next chain starts and few buffers are in use at a
/// time. O(nodes + arcs).
[[nodiscard]] std::expected<std::vector<std::uint32_t>, Cycle> topological_order(std::uint32_t node_count,
                                                                                 std::span<const Arc> arcs);

}  // namespace rta
