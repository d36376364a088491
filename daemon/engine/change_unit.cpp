// SPDX-License-Identifier: MIT
#include "engine/change_unit.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <type_traits>

#include "engine/acyclic_steps.h"
#include "text/sort_range.h"

namespace rta {
namespace {

bool overlap(std::span<const PortRef> a, std::span<const PortRef> b) {
    for (auto left = a.begin(), right = b.begin(); left != a.end() && right != b.end();) {
        if (*left == *right) return true;
        ++(*left < *right ? left : right);
    }
    return false;
}

/// Returns the connections into a port.
auto into(std::span<const CommittedConnection> connections, PortRef port) {
    return std::ranges::equal_range(connections, port, {}, [](const CommittedConnection& c) { return c.key.to; });
}

/// Returns what sounds, plus what the waiting units would add.
std::vector<Arc> arcs_with(const SoundingGraph& sound, std::span<const ChangeUnit> units,
                           std::span<const CommittedConnection> committed) {
    std::vector<Arc> arcs = sound.arcs([](const Hearing& hearing) { return hearing.playing(); });
    for (const ChangeUnit& unit : units) {
        if (unit.started) continue;
        for (const PortRef& port : unit.ports) {
            if (!sound.contains(port.node)) continue;
            const std::uint32_t to = sound.index_of(port.node);
            for (const CommittedConnection& connection : into(committed, port))
                arcs.push_back({sound.index_of(connection.key.from.node), to});
        }
    }
    return arcs;
}

}  // namespace

bool ChangeUnit::touches(const ChangeUnit& later) const {
    if (overlap(ports, later.ports)) return true;
    return std::ranges::any_of(later.parameters, [&](const auto& entry) {
        return parameters.contains(entry.first) || std::ranges::binary_search(nodes, entry.first.first);
    });
}

bool ChangeUnit::waits_for(const std::vector<bool>& marked, const SoundingGraph& sound,
                           std::span<const CommittedConnection> committed) const {
    return std::ranges::any_of(ports, [&](const PortRef& port) {
        return std::ranges::any_of(into(committed, port), [&](const CommittedConnection& connection) {
            const NodeId source = connection.key.from.node;
            return sound.contains(source) && marked[sound.index_of(source)];
        });
    });
}

void ChangeUnit::absorb(ChangeUnit later) {
    not_before = std::max(not_before, later.not_before);
    gain_frames = std::max(gain_frames, later.gain_frames);
    const auto unite = [](auto& mine, const auto& others) {
        std::remove_reference_t<decltype(mine)> all;
        std::ranges::set_union(mine, others, std::back_inserter(all));
        mine = std::move(all);
    };
    unite(ports, later.ports);
    unite(nodes, later.nodes);
    unite(revisions, later.revisions);
    later.parameters.merge(std::move(parameters));  // keeps the newer ones
    parameters = std::move(later.parameters);
    if (promised_frame == 0 || (later.promised_frame != 0 && later.promised_frame < promised_frame))
        promised_frame = later.promised_frame;
    heard_frame = retry_frame = 0;
}

std::vector<PortRef> ports_of_later_rounds(std::span<const ChangeUnit> units, std::vector<PortRef> preparing) {
    sort_range(preparing);
    const auto is_first = [&](const PortRef& port) { return std::ranges::binary_search(preparing, port); };
    std::vector<PortRef> later;
    for (const ChangeUnit& unit : units) {
        if (!unit.started || (unit.continues && std::ranges::none_of(unit.left, is_first))) continue;
        std::ranges::copy_if(unit.left, std::back_inserter(later),
                             [&](const PortRef& port) { return !unit.continues || !is_first(port); });
    }
    sort_range(later);
    return later;
}

bool hears_silenced_nodes(std::span<const ChangeUnit> units, const SoundingGraph& sound) {
    const std::vector<PortRef> later = ports_of_later_rounds(units, {});
    if (later.empty()) return false;
    const std::vector<bool>& target = sound.heard_in_target();
    const std::vector<bool> wanted = sound.heard([](const Hearing& hearing) { return hearing.wanted; }, later);
    return std::ranges::any_of(later, [&](const PortRef& port) {
        if (port.port == kDevicePort || !sound.contains(port.node)) return false;
        const std::uint32_t node = sound.index_of(port.node);
        return wanted[node] && !target[node];
    });
}

void merge_units(std::vector<ChangeUnit>& units, const std::vector<bool>& marked) {
    std::vector<ChangeUnit> merged;
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < units.size(); ++i) {
        if (marked[i] && first) {
            merged[*first].absorb(std::move(units[i]));
        } else {
            if (marked[i]) first = merged.size();
            merged.push_back(std::move(units[i]));
        }
    }
    units = std::move(merged);
}

void merge_units_in_loops(std::vector<ChangeUnit>& units, const SoundingGraph& sound,
                          std::span<const CommittedConnection> committed) {
    if (std::ranges::count(units, false, &ChangeUnit::started) < 2) return;
    const auto node_count = static_cast<std::uint32_t>(sound.nodes.size());
    const std::vector<Arc> arcs = arcs_with(sound, units, committed);
    if (topological_order(node_count, arcs)) return;
    const std::vector<bool> region = cyclic_region(node_count, arcs);
    const auto lies_in_region = [&](const PortRef& port) {
        return port.port != kDevicePort && sound.contains(port.node) && region[sound.index_of(port.node)];
    };
    std::vector<bool> marked;
    marked.reserve(units.size());
    for (const ChangeUnit& unit : units)
        marked.push_back(!unit.started && std::ranges::any_of(unit.ports, lies_in_region));
    merge_units(units, marked);
}

}  // namespace rta
