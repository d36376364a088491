// SPDX-License-Identifier: MIT
#include "engine/alignment.h"
#include "text/sort_range.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

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

std::optional<std::vector<std::uint32_t>> order_of(const SoundingGraph& sound, Counts counts) {
    auto order = topological_order(static_cast<std::uint32_t>(sound.nodes.size()), sound.arcs(counts));
    return order ? std::optional{std::move(*order)} : std::nullopt;
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

}  // namespace

ShiftFinder::ShiftFinder(const SoundingGraph& sound, std::span<const PortRef> changed, LatenessOf lateness_of)
    : sound_{sound}, lateness_of_{std::move(lateness_of)} {
    if (!sound.has_latency() && !sound.glides()) return;
    std::ranges::copy_if(changed, std::back_inserter(ports_),
                         [&](PortRef port) { return replaces_signals(sound, port); });
    if (ports_.empty()) return;
    heard_ = sound.heard_playing();
    order_before_ = order_of(sound, in_target);
    order_after_ = order_of(sound, is_wanted);
    const auto order = order_of(sound, is_anything);
    acyclic_ = order.has_value();
    if (!order_before_ || !order_after_) {
        ports_.clear();
        return;
    }
    sort_ports(order ? *order : *order_after_);
}

void ShiftFinder::sort_ports(std::span<const std::uint32_t> order) {
    if (ports_.size() < 2) return;
    std::vector<std::uint32_t> positions(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) positions[order[i]] = static_cast<std::uint32_t>(i);
    sort_range(ports_, {}, [&](PortRef port) { return std::pair{positions[sound_.index_of(port.node)], port}; });
}

void ShiftFinder::update() {
    before_ = latencies(*order_before_, in_target);
    after_ = latencies(*order_after_, is_wanted);
}

std::vector<std::int64_t> ShiftFinder::latencies(std::span<const std::uint32_t> order, Counts counts) const {
    std::vector<std::int64_t> latencies(sound_.nodes.size());
    for (const std::uint32_t index : order) {
        std::int64_t arrival = 0;
        for (const Connection& connection : sound_.into_node(index)) {
            if (!counts(connection.hearing)) continue;
            arrival =
                std::max(arrival, latencies[connection.from_node] + connection.delay_frames + lateness_of_(connection));
        }
        latencies[index] = arrival + sound_.nodes[index].latency_frames;
    }
    return latencies;
}

std::optional<Shift> ShiftFinder::find(PortRef port) {
    if (!heard_[sound_.index_of(port.node)]) return std::nullopt;
    if (std::exchange(stale_, false)) update();
    std::int64_t leaving = 0;
    std::int64_t arriving = 0;
    for (const Connection& connection : sound_.into(port)) {
        if (connection.leaves()) leaving = std::max(leaving, before_[connection.from_node] + connection.delay_frames);
        if (connection.arrives()) arriving = std::max(arriving, after_[connection.from_node] + connection.delay_frames);
    }
    if (arriving == leaving && !is_late(port)) return std::nullopt;
    // Without a search, the shift is reported as one that cannot glide.
    const bool searches = searched_ < kMostSearched;
    if (searches) {
        ++searched_;
        latest_sources_ = sources(port);
        if (!have_common_source()) return std::nullopt;
    }
    const bool in_one_round = searches && (acyclic_ || !is_in_loop(port));
    return Shift{.port = port, .frames = arriving - leaving, .in_one_round = in_one_round};
}

/// Returns whether a leaving signal is late because of an earlier shift.
bool ShiftFinder::is_late(PortRef port) const {
    return std::ranges::any_of(sound_.into(port), [](const Connection& connection) {
        return connection.leaves() && connection.glide.delay != nullptr;
    });
}

/// Returns whether old and new connections together lead from the node to itself.
bool ShiftFinder::is_in_loop(PortRef port) const {
    const std::uint32_t index = sound_.index_of(port.node);
    std::vector<bool> sources(sound_.nodes.size());
    for (const Connection& connection : sound_.into_node(index)) {
        if (is_anything(connection.hearing)) mark_sources(sound_, connection.from_node, is_anything, sources);
    }
    return sources[index];
}

ShiftFinder::Sources ShiftFinder::sources(PortRef port) const {
    Sources found{std::vector<bool>(sound_.nodes.size()), std::vector<bool>(sound_.nodes.size())};
    for (const Connection& connection : sound_.into(port)) {
        if (connection.leaves()) mark_sources(sound_, connection.from_node, in_target, found.before);
        if (connection.arrives()) mark_sources(sound_, connection.from_node, is_wanted, found.after);
    }
    return found;
}

bool ShiftFinder::have_common_source() const {
    const auto& [before, after] = latest_sources_;
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (before[i] && after[i]) return true;
    }
    return false;
}

std::vector<bool> ShiftFinder::different_sources() const {
    const auto& [before, after] = latest_sources_;
    std::vector<bool> different(before.size());
    for (std::size_t i = 0; i < before.size(); ++i) different[i] = before[i] != after[i];
    return different;
}

}  // namespace rta
