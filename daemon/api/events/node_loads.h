// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"

namespace rta::api {

/// Converts the times measured for nodes into shares of a block's duration. [control]
class NodeLoads {
 public:
    /// Share of a block's duration.
    struct NodeLoad {
        NodeId node;
        /// Since the previous call; unchanged if the node was not timed since, 0 after kIdleCalls such calls: in the
        /// current plan, the node has nothing to do.
        double share = 0.0;
        double average = 0.0;  ///< since begin(), or since the node was added
    };

    /// Starts again: only what nodes take from now on counts.
    void begin(std::span<const NodeTime> times);
    /// Returns the nodes with the largest shares, at most `most`.
    [[nodiscard]] std::vector<NodeLoad> heaviest(std::span<const NodeTime> times, double cycles_per_block,
                                                 std::size_t most);

    /// More than a node waits for its turn to be timed, which is 1 s at 8 kHz, if calls are 0.5 s apart.
    static constexpr int kIdleCalls = 4;

 private:
    struct Seen {
        NodeTime first;
        NodeTime last;
        double share = 0.0;
        int idle_calls = 0;  ///< since the node was timed last
    };
    std::unordered_map<std::uint64_t, Seen> seen_;  ///< by the node's id
};

}  // namespace rta::api
