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
        double share = 0.0;    ///< since the previous call; unchanged if the node was not timed since
        double average = 0.0;  ///< since begin(), or since the node was added
    };

    /// Starts again: only what nodes take from now on counts.
    void begin(std::span<const NodeTime> times);
    /// Returns the nodes with the largest shares, at most `most`.
    [[nodiscard]] std::vector<NodeLoad> heaviest(std::span<const NodeTime> times, double cycles_per_block,
                                                 std::size_t most);

 private:
    struct Seen {
        NodeTime first;
        NodeTime last;
        double share = 0.0;
    };
    std::unordered_map<std::uint64_t, Seen> seen_;  ///< by the node's id
};

}  // namespace rta::api
