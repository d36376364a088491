// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/sounding_graph.h"

namespace rta {

/// The port changes of a unit that are possible in one round without closing a cycle with what still sounds.
struct AcyclicStep {
    std::vector<PortRef> ports;  ///< change in this round
    /// Lose their departing connections in this round; the rest must wait for a later round.
    std::vector<PortRef> departures;
};

/// Returns the nodes on cycles and those between cycles: the nodes that remain after repeatedly removing all nodes that
/// have no incoming or no outgoing arcs. [control]
[[nodiscard]] std::vector<bool> cyclic_region(std::size_t node_count, std::span<const Arc> arcs);

/// Returns the largest step that can be found quickly. If the ports close no cycle, that is all ports. Otherwise, it is
/// the ports outside the region of the cycles, and inside it one node after another in the order of the new graph,
/// which never closes a cycle. If the region is too large for that, or the unit has already taken too many rounds
/// (`rounds_so_far`), it fades out and then in. [control]
[[nodiscard]] AcyclicStep find_acyclic_step(SoundingGraph& sound, std::span<const PortRef> ports,
                                            std::uint32_t rounds_so_far);

}  // namespace rta
