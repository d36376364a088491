// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "graph/audio_graph.h"

namespace rta {

/// What a transaction would do if it were committed now. What waits at one place starts together, so of two transactions that
/// meet, the later one must not be committed first.
struct CommitForecast {
    std::uint64_t frames = 0;       ///< for which it would wait, at most
    std::vector<PortRef> inputs{};  ///< of nodes of the graph, at which it changes connections; sorted
    std::vector<std::pair<NodeId, std::uint32_t>> parameters{};  ///< that it sets; sorted
    /// It may meet any other: the old and the new connections together form a loop, or nothing is known about it.
    bool anywhere = false;

    /// Returns whether the two change the same place. [any]
    [[nodiscard]] bool meets(const CommitForecast& other) const;
};

/// Returns whether the connections of both graphs together form a loop. [any]
[[nodiscard]] bool form_loop(const AudioGraph& before, const AudioGraph& after);

}  // namespace rta
