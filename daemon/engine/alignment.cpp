// SPDX-License-Identifier: MIT
#include "engine/alignment.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>

namespace rta {
namespace {

using Connection = SoundingGraph::Connection;
using Counts = SoundingGraph::Counts;

/// Maximum number of ports whose sources are searched, each in a traversal of the graph. At most half of them can glide
/// together.
constexpr std::size_t kMostSearched = 64;

bool is_anything(const Hearing& hearing) { return hearing.any(); }
bool in_target(const Hearing& hearing) { return hearing.target; }
bool is_wanted(const Hearing& hearing) { return hearing.wanted; }

bool replaces_signals(const SoundingGraph& sound, PortRef port) {
    if (port.port == kDevicePort) return false;
    const auto connections = sound.into(port);
    return std::ranges::any_of(connections, &Connection::leaves) &&
           std::ranges::any_of(connections, &Connection::arrives);
}

/// Returns the latency at the output of each node along connections that `counts` selects; nullopt if they form a
/// cycle.
std::optional<std::vector<std::int64_t>> find_latencies(const SoundingGraph& sound, Counts counts) {
    const auto order = topological_order(static_cast<std::uint32_t>(sound.nodes.size()), sound.arcs(counts));
    if (!order) return std::nullopt;
    std::vector<std::int64_t> latencies(sound.nodes.size());
    for (const std::uint32_t index : *order) {
        std::int64_t arrival = 0;
        for (const Connection& connection : sound.into_node(index)) {
            if (counts(connection.hearing))
                arrival = std::max(arrival, latencies[connection.from_node] + connection.delay_frames);
        }
        latencies[index] = arrival + sound.nodes[index].latency_frames;
    }
    return latencies;
}

/// Marks the node and all nodes that feed it through connections that `counts` selects.
void mark_sources(const SoundingGraph& sound, std::uint32_t node, Counts counts, std::vector<bool>& marked) {
    std::vector<std::uint32_t> reached;
    const auto reach = [&](std::uint32_t index) {
        if (marked[index]) return;
        marked[index] = true;
        reached.push_back(index);
    };
    reach(node);
    while (!reached.empty()) {
        const std::uint32_t index = reached.back();
        reached.pop_back();
        for (const Connection& connection : sound.into_node(index)) {
            if (counts(connection.hearing)) reach(connection.from_node);
        }
    }
}

/// Finds shifts. Holds the data that are the same for all ports.
class ShiftFinder {
 public:
    explicit ShiftFinder(const SoundingGraph& sound)
        : sound_{sound},
          heard_{sound.heard([](const Hearing& hearing) { return hearing.playing(); })},
          before_{find_latencies(sound, in_target)},
          after_{find_latencies(sound, is_wanted)},
          acyclic_{
              topological_order(static_cast<std::uint32_t>(sound.nodes.size()), sound.arcs(is_anything)).has_value()} {}

    /// `searches`: look for loops and common sources; otherwise the shift is reported as one that cannot glide.
    [[nodiscard]] std::optional<Shift> find(PortRef port, bool searches) const {
        if (!before_ || !after_ || !heard_[sound_.index_of(port.node)]) return std::nullopt;
        std::int64_t leaving = 0;
        std::int64_t arriving = 0;
        for (const Connection& connection : sound_.into(port)) {
            if (connection.leaves())
                leaving = std::max(leaving, (*before_)[connection.from_node] + connection.delay_frames);
            if (connection.arrives())
                arriving = std::max(arriving, (*after_)[connection.from_node] + connection.delay_frames);
        }
        const bool in_time = arriving == leaving && !is_late(port);
        if (in_time || (searches && !have_common_source(port))) return std::nullopt;
        const bool in_one_round = searches && (acyclic_ || !is_in_loop(port));
        return Shift{.port = port, .frames = arriving - leaving, .in_one_round = in_one_round};
    }

 private:
    /// Returns whether a leaving signal is late because of an earlier shift.
    [[nodiscard]] bool is_late(PortRef port) const {
        return std::ranges::any_of(sound_.into(port), [](const Connection& connection) {
            return connection.leaves() && connection.glide.delay != nullptr;
        });
    }

    /// Returns whether old and new connections together lead from the node to itself.
    [[nodiscard]] bool is_in_loop(PortRef port) const {
        const std::uint32_t index = sound_.index_of(port.node);
        std::vector<bool> sources(sound_.nodes.size());
        for (const Connection& connection : sound_.into_node(index)) {
            if (is_anything(connection.hearing)) mark_sources(sound_, connection.from_node, is_anything, sources);
        }
        return sources[index];
    }

    [[nodiscard]] bool have_common_source(PortRef port) const {
        std::vector<bool> old_sources(sound_.nodes.size());
        std::vector<bool> new_sources(sound_.nodes.size());
        for (const Connection& connection : sound_.into(port)) {
            if (connection.leaves()) mark_sources(sound_, connection.from_node, in_target, old_sources);
            if (connection.arrives()) mark_sources(sound_, connection.from_node, is_wanted, new_sources);
        }
        for (std::size_t i = 0; i < old_sources.size(); ++i) {
            if (old_sources[i] && new_sources[i]) return true;
        }
        return false;
    }

    const SoundingGraph& sound_;
    std::vector<bool> heard_;
    std::optional<std::vector<std::int64_t>> before_;
    std::optional<std::vector<std::int64_t>> after_;
    bool acyclic_;
};

}  // namespace

std::vector<Shift> find_shifts(const SoundingGraph& sound, std::span<const PortRef> changed) {
    std::vector<PortRef> ports;
    std::ranges::copy_if(changed, std::back_inserter(ports),
                         [&](PortRef port) { return replaces_signals(sound, port); });
    std::vector<Shift> shifts;
    if (ports.empty() || !(sound.has_latency() || sound.glides())) return shifts;
    const ShiftFinder finder{sound};
    for (const PortRef port : ports) {
        const bool searches = shifts.size() < kMostSearched;
        if (const auto shift = finder.find(port, searches)) shifts.push_back(*shift);
    }
    return shifts;
}

}  // namespace rta
