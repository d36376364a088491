// SPDX-License-Identifier: MIT
#include "engine/filling.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "graph/topological_order.h"

namespace rta {
namespace {

using Node = SoundingGraph::Node;
using Connection = SoundingGraph::Connection;

/// Returns the indices of the nodes in an order in which every node follows its sources.
std::vector<std::uint32_t> playing_order(const SoundingGraph& sound) {
    auto order = topological_order(static_cast<std::uint32_t>(sound.nodes.size()),
                                   sound.arcs([](const Hearing& hearing) { return hearing.playing(); }));
    assert(order);
    return std::move(*order);
}

/// Returns an upper bound of the time that any path through the graph takes to fill.
std::uint64_t sum_of_latencies(const SoundingGraph& sound) {
    std::uint64_t sum = 0;
    for (const Node& node : sound.nodes) sum += node.latency_frames;
    for (const Connection& connection : sound.connections) sum += connection.delay_frames;
    return sum;
}

}  // namespace

void fill(SoundingGraph& sound, std::uint64_t first_serial, std::uint64_t frame) {
    const auto fill_connection = [&](Connection& connection) {
        if (connection.entered_in < first_serial) return;
        const std::uint64_t source = sound.nodes[connection.from_node].filled_from;
        connection.filled_from =
            source == 0 && connection.fill_frames == 0 ? 0 : std::max(source, frame) + connection.fill_frames;
    };
    for (const std::uint32_t index : playing_order(sound)) {
        Node& node = sound.nodes.own()[index];
        if (node.entered_in < first_serial) continue;
        std::uint64_t arrival = 0;
        for (Connection& connection : sound.into_node(index)) {
            fill_connection(connection);
            if (connection.hearing.playing()) arrival = std::max(arrival, connection.filled_from);
        }
        node.filled_from =
            arrival == 0 && node.latency_frames == 0 ? 0 : std::max(arrival, frame) + node.latency_frames;
    }
    std::ranges::for_each(sound.connections.own(), fill_connection);  // connections to older nodes
}

void refill(SoundingGraph& sound, std::span<const PortRef> changed, std::uint64_t frame) {
    std::vector<bool> refills(sound.nodes.size());
    for (const PortRef& port : changed) refills[sound.index_of(port.node)] = true;
    const auto refill_connection = [&](Connection& connection) {
        const std::uint32_t source = connection.from_node;
        if (!refills[source]) return;
        connection.filled_from =
            std::max(connection.filled_from,
                     sound.nodes[source].filled_from + connection.delay_frames + connection.glide.frames);
    };
    for (const std::uint32_t index : playing_order(sound)) {
        Node& node = sound.nodes.own()[index];
        std::uint64_t arrival = frame;
        for (Connection& connection : sound.into_node(index)) {
            if (!connection.hearing.playing()) continue;
            const std::uint32_t source = connection.from_node;
            refill_connection(connection);
            arrival = std::max({arrival, connection.filled_from, sound.nodes[source].filled_from});
            refills[index] = refills[index] || refills[source];
        }
        if (refills[index]) node.filled_from = std::max(node.filled_from, arrival + node.latency_frames);
    }
    std::ranges::for_each(sound.connections.own(), refill_connection);  // also connections that are not in the order
}

std::vector<bool> fed_by(const SoundingGraph& sound, std::span<const PortRef> ports) {
    std::vector<bool> fed(sound.nodes.size());
    for (const PortRef& port : ports) fed[sound.index_of(port.node)] = true;
    for (const std::uint32_t index : playing_order(sound)) {
        fed[index] = fed[index] || std::ranges::any_of(sound.into_node(index), [&](const Connection& connection) {
                         return connection.hearing.playing() && fed[connection.from_node];
                     });
    }
    return fed;
}

std::uint64_t filled_frame(const SoundingGraph& sound, std::span<const PortRef> ports) {
    std::uint64_t filled = 0;
    for (const PortRef& port : ports) {
        for (const Connection& connection : sound.into(port)) {
            if (!connection.hearing.any()) continue;
            filled = std::max({filled, connection.filled_from, sound.nodes[connection.from_node].filled_from});
        }
    }
    return filled;
}

std::uint64_t frames_to_fill(const SoundingGraph& sound, std::span<const PortRef> changed) {
    const auto any = [](const Hearing& hearing) { return hearing.any(); };
    const auto order = topological_order(static_cast<std::uint32_t>(sound.nodes.size()), sound.arcs(any));
    if (!order) return sum_of_latencies(sound);  // the new graph and the old one together have a cycle
    std::vector<std::optional<std::uint64_t>> filled(sound.nodes.size());  // nullopt: not fed by the ports
    for (const PortRef& port : changed) {
        if (sound.contains(port.node)) filled[sound.index_of(port.node)] = 0;
    }
    std::uint64_t longest = 0;
    for (const std::uint32_t index : *order) {
        std::optional<std::uint64_t>& own = filled[index];
        for (const Connection& connection : sound.into_node(index)) {
            const std::optional<std::uint64_t> source = filled[connection.from_node];
            if (any(connection.hearing) && source) own = std::max(own.value_or(0), *source + connection.delay_frames);
        }
        if (!own) continue;
        *own += sound.nodes[index].latency_frames;
        longest = std::max(longest, *own);
    }
    return longest;
}

}  // namespace rta
