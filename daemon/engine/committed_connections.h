// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/audio_graph.h"

namespace rta {

/// A connection of the committed graph, with the delay and gain with which it must sound.
struct CommittedConnection {
    ConnectionKey key;
    std::uint32_t delay_frames;  ///< compensating delay
    float gain;                  ///< a factor

    [[nodiscard]] bool operator==(const CommittedConnection&) const = default;
};

/// Returns the connections of `graph`, sorted by key. `delays_frames` is from compensating_delays(). [control]
[[nodiscard]] std::vector<CommittedConnection> committed_connections(const AudioGraph& graph,
                                                                     std::span<const std::uint32_t> delays_frames);

/// Returns the ports at which the sorted connections differ, sorted. [control]
[[nodiscard]] std::vector<PortRef> differing_ports(std::span<const CommittedConnection> before,
                                                   std::span<const CommittedConnection> after);

/// The connections of a graph, and the ports at which they differ from those of an earlier graph, both sorted.
struct ConnectionChange {
    std::vector<CommittedConnection> connections;
    std::vector<PortRef> ports;
};

/// Returns the change from `old`, the connections of `before`, to a graph in which some nodes differ: nodes that an edit
/// does not change are shared. Neither graph has delays. [control]
[[nodiscard]] ConnectionChange changed_connections(const AudioGraph& before, std::span<const CommittedConnection> old,
                                                   const AudioGraph& graph);

}  // namespace rta
