// SPDX-License-Identifier: MIT
#include "plan/latency.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace rta {
namespace {

bool is_device_sink(const GraphNode& node) { return node.description->type->device_role == DeviceRole::sink; }

bool needs_delays(const AudioGraph& graph, std::span<const std::uint32_t> own_frames) {
    return graph.latency_compensation() &&
           std::ranges::any_of(own_frames, [](std::uint32_t frames) { return frames != 0; });
}

/// Calls `visit` with the delay of each connection, in frames, and the width of its signal.
template <class Visit>
void visit_delays(const AudioGraph& graph, std::span<const std::uint32_t> own_frames, const Visit& visit) {
    const GraphLatency latency = find_latency(graph, own_frames);
    const auto nodes = graph.nodes();
    for (std::size_t to = 0; to < nodes.size(); ++to) {
        for (const IncomingConnection& connection : nodes[to]->incoming) {
            const std::size_t from = graph.index_of(connection.from.node);
            visit(latency.arrivals[to] - (latency.arrivals[from] + own_frames[from]),
                  nodes[from]->description->layout.outputs[connection.from.port].width);
        }
    }
}

}  // namespace

GraphLatency find_latency(const AudioGraph& graph, std::span<const std::uint32_t> own_frames) {
    const auto nodes = graph.nodes();
    GraphLatency latency;
    latency.arrivals.assign(nodes.size(), 0);
    const auto order = graph.order();
    assert(order && "the graph has no cycles");
    for (const std::uint32_t index : *order) {
        std::uint64_t& arrival = latency.arrivals[index];
        for (const IncomingConnection& connection : nodes[index]->incoming) {
            const std::size_t from = graph.index_of(connection.from.node);
            arrival = std::max(arrival, latency.arrivals[from] + own_frames[from]);
        }
        if (is_device_sink(*nodes[index])) latency.output_frames = std::max(latency.output_frames, arrival);
    }
    if (!graph.latency_compensation()) return latency;
    for (std::size_t index = 0; index < nodes.size(); ++index) {
        if (is_device_sink(*nodes[index])) latency.arrivals[index] = latency.output_frames;
    }
    return latency;
}

std::vector<std::uint32_t> compensating_delays(const AudioGraph& graph, std::span<const std::uint32_t> own_frames) {
    std::vector<std::uint32_t> delays;
    if (!needs_delays(graph, own_frames)) return delays;
    delays.reserve(graph.connection_count());
    visit_delays(graph, own_frames, [&](std::uint64_t frames, std::uint32_t) {
        assert(frames <= std::numeric_limits<std::uint32_t>::max() && "GraphLimits::kMostDelayBytes");
        delays.push_back(static_cast<std::uint32_t>(frames));
    });
    return delays;
}

std::uint64_t compensating_samples(const AudioGraph& graph, std::span<const std::uint32_t> own_frames) {
    std::uint64_t samples = 0;
    if (!needs_delays(graph, own_frames)) return samples;
    visit_delays(graph, own_frames, [&](std::uint64_t frames, std::uint32_t width) { samples += frames * width; });
    return samples;
}

}  // namespace rta
