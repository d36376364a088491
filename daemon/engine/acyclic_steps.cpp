// SPDX-License-Identifier: MIT
#include "engine/acyclic_steps.h"
#include "text/sort_range.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rta {
namespace {

/// More rounds of 10 ms would be perceived as slow; fading out and in is quicker.
constexpr std::uint32_t kMaximumRounds = 8;
/// Ports x (nodes and connections) of a region, which bounds the search to a few milliseconds.
constexpr std::size_t kMaximumWork = 100'000;

/// The arcs from each node.
class Adjacency {
 public:
    explicit Adjacency(std::size_t node_count) : next_(node_count) {}
    void add(const Arc& arc) { next_[arc.from].push_back(arc.to); }
    [[nodiscard]] std::span<const std::uint32_t> from(std::uint32_t node) const { return next_[node]; }

    /// Returns whether a path leads from a node to one of the sources of `arcs`.
    [[nodiscard]] bool reaches(std::uint32_t from, std::span<const Arc> arcs) const {
        std::vector<bool> seen(next_.size());
        std::vector<std::uint32_t> open{from};
        while (!open.empty()) {
            const std::uint32_t node = open.back();
            open.pop_back();
            if (seen[node]) continue;
            seen[node] = true;
            open.insert(open.end(), next_[node].begin(), next_[node].end());
        }
        return std::ranges::any_of(arcs, [&](const Arc& arc) { return seen[arc.from]; });
    }

 private:
    std::vector<std::vector<std::uint32_t>> next_;
};

/// Returns the arcs that are new when the port changes.
std::vector<Arc> new_arcs(SoundingGraph& sound, PortRef port) {
    std::vector<Arc> arcs;
    if (port.port == kDevicePort) return arcs;
    for (const SoundingGraph::Connection& connection : sound.into(port)) {
        if (connection.hearing.wanted && !connection.hearing.playing())
            arcs.push_back({connection.from_node, connection.to_node});
    }
    return arcs;
}

/// Returns the position of each node in the order of the wanted graph.
std::vector<std::uint32_t> positions(const SoundingGraph& sound) {
    std::vector<std::uint32_t> positions(sound.nodes.size());
    const auto order = topological_order(static_cast<std::uint32_t>(sound.nodes.size()),
                                         sound.arcs([](const Hearing& hearing) { return hearing.wanted; }));
    if (!order) return positions;
    for (std::uint32_t i = 0; i < order->size(); ++i) positions[(*order)[i]] = i;
    return positions;
}

}  // namespace

std::vector<bool> cyclic_region(std::size_t node_count, std::span<const Arc> arcs) {
    std::vector<bool> remains(node_count, true);
    const auto trim = [&](auto source, auto destination) {
        Adjacency adjacency{node_count};
        std::vector<std::size_t> degree(node_count);
        for (const Arc& arc : arcs) {
            if (!remains[arc.from] || !remains[arc.to]) continue;
            adjacency.add({source(arc), destination(arc)});
            ++degree[destination(arc)];
        }
        std::vector<std::uint32_t> free;
        for (std::uint32_t node = 0; node < node_count; ++node) {
            if (remains[node] && degree[node] == 0) free.push_back(node);
        }
        while (!free.empty()) {
            const std::uint32_t node = free.back();
            free.pop_back();
            remains[node] = false;
            for (const std::uint32_t next : adjacency.from(node)) {
                if (--degree[next] == 0) free.push_back(next);
            }
        }
    };
    const auto from = [](const Arc& arc) { return arc.from; };
    const auto to = [](const Arc& arc) { return arc.to; };
    trim(from, to);
    trim(to, from);
    return remains;
}

AcyclicStep find_acyclic_step(SoundingGraph& sound, std::span<const PortRef> ports, std::uint32_t rounds_so_far) {
    std::vector<Arc> arcs;
    for (const PortRef& port : ports) std::ranges::copy(new_arcs(sound, port), std::back_inserter(arcs));
    if (arcs.empty()) return {.ports = {ports.begin(), ports.end()}, .departures = {}};
    const std::size_t node_count = sound.nodes.size();
    const std::vector<Arc> playing = sound.arcs([](const Hearing& hearing) { return hearing.playing(); });
    arcs.insert(arcs.end(), playing.begin(), playing.end());
    if (topological_order(static_cast<std::uint32_t>(node_count), arcs))
        return {.ports = {ports.begin(), ports.end()}, .departures = {}};

    const std::vector<bool> region = cyclic_region(node_count, arcs);
    AcyclicStep step;
    std::vector<PortRef> inside;
    for (const PortRef& port : ports) (region[sound.index_of(port.node)] ? inside : step.ports).push_back(port);
    Adjacency adjacency{node_count};
    const auto is_inner = [&](const Arc& arc) { return region[arc.from] && region[arc.to]; };
    for (const Arc& arc : playing) {
        if (is_inner(arc)) adjacency.add(arc);
    }
    const auto inner_arcs = static_cast<std::size_t>(std::ranges::count_if(arcs, is_inner));
    const auto inner_nodes = static_cast<std::size_t>(std::ranges::count(region, true));
    constexpr std::size_t kNodesOfAWord = 64;  // a search clears one bit for each node of the graph
    const std::size_t work = inside.size() * (inner_nodes + inner_arcs + node_count / kNodesOfAWord);
    if (rounds_so_far >= kMaximumRounds || work > kMaximumWork) {
        step.departures = std::move(inside);
        return step;
    }
    const std::vector<std::uint32_t> position = positions(sound);
    sort_range(inside, {}, [&](const PortRef& port) { return position[sound.index_of(port.node)]; });
    for (const PortRef& port : inside) {
        const std::vector<Arc> added = new_arcs(sound, port);
        if (!added.empty() && adjacency.reaches(added.front().to, added)) continue;
        step.ports.push_back(port);
        for (const Arc& arc : added) adjacency.add(arc);
    }
    return step;
}

}  // namespace rta
