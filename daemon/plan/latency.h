// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/audio_graph.h"

namespace rta {

/// Latencies in frames, accumulated from the look-ahead of the nodes on the longest path.
struct GraphLatency {
    std::vector<std::uint64_t> arrivals;  ///< at the inputs of each node, in the order of the graph
    std::uint64_t output_frames = 0;      ///< at the device output
};

/// Computes the latencies of an acyclic graph. `own_frames` holds the latency that each node adds, in the order of the
/// graph. If the graph compensates latencies, all device sinks have the latency of the latest. O(nodes + connections).
/// [control]
[[nodiscard]] GraphLatency find_latency(const AudioGraph& graph, std::span<const std::uint32_t> own_frames);

/// Returns the delays, in frames, that align all signals at the inputs of each node: one for each connection, for each
/// node in the order of the graph its incoming connections in order. Empty if no delays are needed. Precondition:
/// they hold at most GraphLimits::kMostDelayBytes. [control]
[[nodiscard]] std::vector<std::uint32_t> compensating_delays(const AudioGraph& graph,
                                                             std::span<const std::uint32_t> own_frames);

/// Returns the number of samples that the delays hold in total. [any]
[[nodiscard]] std::uint64_t compensating_samples(const AudioGraph& graph, std::span<const std::uint32_t> own_frames);

}  // namespace rta
