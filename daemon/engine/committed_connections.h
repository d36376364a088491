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

/// Returns the same for a graph without delays in which some nodes differ from those of `before`, whose connections are
/// `old`: nodes that an edit does not change are shared. [control]
[[nodiscard]] std::vector<CommittedConnection> changed_connections(const AudioGraph& before,
                                                                   std::span<const CommittedConnection> old,
                                                                   const AudioGraph& graph);

}  // namespace rta
