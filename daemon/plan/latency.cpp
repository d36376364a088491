// SPDX-License-Identifier: MIT
#include "plan/latency.h"

#include <algorithm>
#include <cassert>

namespace rta {
namespace {

bool is_device_sink(const GraphNode& node) { return node.description->type->device_role == DeviceRole::sink; }

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

Expected<std::vector<std::uint32_t>> compensating_delays(const AudioGraph& graph,
                                                         std::span<const std::uint32_t> own_frames) {
    std::vector<std::uint32_t> delays;
    const bool any = std::ranges::any_of(own_frames, [](std::uint32_t frames) { return frames != 0; });
    if (!graph.latency_compensation() || !any) return delays;

    const GraphLatency latency = find_latency(graph, own_frames);
    const auto nodes = graph.nodes();
    std::uint64_t samples = 0;
    delays.reserve(graph.connection_count());
    for (std::size_t to = 0; to < nodes.size(); ++to) {
        for (const IncomingConnection& connection : nodes[to]->incoming) {
            const std::size_t from = graph.index_of(connection.from.node);
            const std::uint64_t delay = latency.arrivals[to] - (latency.arrivals[from] + own_frames[from]);
            samples += delay * nodes[from]->description->layout.outputs[connection.from.port].width;
            delays.push_back(static_cast<std::uint32_t>(delay));
        }
    }
    if (samples > kMaximumCompensation) {
        return fail(ErrorCode::failed_precondition, "latency_compensation needs " + std::to_string(samples >> 18U) +
                                                        " MiB of delays: the limit is " +
                                                        std::to_string(kMaximumCompensation >> 18U) +
                                                        " MiB; use shorter look-ahead or switch compensation off");
    }
    return delays;
}

}  // namespace rta
