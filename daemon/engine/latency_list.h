// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "engine/measurements.h"
#include "text/sort_range.h"

namespace rta {

/// Returns the nodes that add the most latency, the longest first, at most `most`. [any]
[[nodiscard]] inline std::vector<LatencyReport::Node> longest_latencies(const LatencyReport& latency,
                                                                        std::size_t most) {
    std::vector<LatencyReport::Node> nodes = latency.nodes;
    sort_range(nodes, [](const LatencyReport::Node& a, const LatencyReport::Node& b) {
        return a.own_frames != b.own_frames ? a.own_frames > b.own_frames : a.node < b.node;
    });
    nodes.resize(std::min(nodes.size(), most));
    return nodes;
}

}  // namespace rta
