// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"

namespace rta::api {

/// Makes shares of a block's time out of what nodes took. [control]
class NodeLoads {
 public:
    /// Of a block's time, as a share of it.
    struct NodeLoad {
        NodeId node;
        double share = 0.0;    ///< since the call before; where the node was not timed since, as it was then
        double average = 0.0;  ///< since begin(), or since the node came
    };

    /// Forgets everything; what nodes took up to now does not count.
    void begin(std::span<const NodeTime> times);
    /// The heaviest of these nodes, by their share, at most `most`.
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
