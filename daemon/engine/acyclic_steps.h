// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/sounding_graph.h"

namespace rta {

/// What one round may change of the ports of a unit without closing a cycle with what still sounds.
struct AcyclicStep {
    std::vector<PortRef> ports;       ///< change now
    std::vector<PortRef> departures;  ///< lose now what they are to lose; the rest must wait for a later round
};

/// Returns the nodes on cycles and those between cycles: what remains when nodes without arcs to the rest, or from it, are
/// removed again and again. [control]
[[nodiscard]] std::vector<bool> cyclic_region(std::size_t node_count, std::span<const Arc> arcs);

/// Returns the largest step that can be found quickly: all ports if they close no cycle; otherwise those outside the
/// region in which cycles are closed, and inside it one node after another in the order of the new graph, which never
/// closes a cycle. A region that is too large for that, or a unit that has taken `rounds_so_far` too many rounds, fades
/// out and then in. [control]
[[nodiscard]] AcyclicStep find_acyclic_step(SoundingGraph& sound, std::span<const PortRef> ports,
                                            std::uint32_t rounds_so_far);

}  // namespace rta
