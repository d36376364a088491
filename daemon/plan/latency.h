// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/audio_graph.h"

namespace rta {

/// How late the signals of a graph are: what the look-ahead of its nodes adds up to on the longest way. In frames.
struct GraphLatency {
    std::vector<std::uint64_t> arrivals;  ///< of each node, in the order of the graph: how late what it gets is
    std::uint64_t output_frames = 0;      ///< how late what goes to the device is
};

/// `own_frames` has one number a node, in the order of the graph, which has no cycles. Where the graph compensates
/// latencies, all device sinks are as late as the latest. O(nodes + connections). [control]
[[nodiscard]] GraphLatency find_latency(const AudioGraph& graph, std::span<const std::uint32_t> own_frames);

/// The delays that make everything that meets in a node equally late: one a connection, node after node as the graph
/// has them, each with its incoming connections in their order. Empty where there is nothing to delay.
///
/// FAILED_PRECONDITION if all of them together would have to hold more than kMaximumCompensation samples. [control]
[[nodiscard]] Expected<std::vector<std::uint32_t>> compensating_delays(const AudioGraph& graph,
                                                                       std::span<const std::uint32_t> own_frames);

/// Samples of 4 bytes: 256 MiB.
inline constexpr std::uint64_t kMaximumCompensation = std::uint64_t{1} << 26U;

}  // namespace rta
