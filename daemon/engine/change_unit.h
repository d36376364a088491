// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "engine/draft.h"
#include "engine/sounding_graph.h"

namespace rta {

/// Changes that have been committed together, or later at the same places, and must start together. [control]
struct ChangeUnit {
    std::vector<std::uint64_t> revisions;  ///< sorted
    std::vector<PortRef> ports;            ///< sorted
    std::vector<NodeId> nodes;             ///< that it adds, sorted
    std::map<std::pair<NodeId, std::uint32_t>, ParameterChange> parameters;
    std::uint64_t promised_frame = 0;  ///< frame at which it is heard at the latest
    std::uint64_t heard_frame = 0;     ///< estimate, while it waits
    std::uint64_t not_before = 0;      ///< frame before which it does not start
    std::uint32_t gain_frames = 0;     ///< of the ramps of gains, if they are longer than usual
    std::uint64_t retry_frame = 0;     ///< frame before which it cannot start
    bool started = false;
    bool continues = false;          ///< with the plan being built
    std::vector<PortRef> left = {};  ///< after the start: ports that must still change
    std::uint32_t rounds = 0;
    std::vector<PortRef> late_ports = {};  ///< whose signals stay late until the unit ends

    /// Returns whether a unit that was committed later must start together with this one: both change the same ports or
    /// parameters, or `later` sets a parameter of a node that this one adds.
    [[nodiscard]] bool touches(const ChangeUnit& later) const;
    /// Returns whether a committed connection leads from a marked node of `sound` to one of its ports.
    [[nodiscard]] bool waits_for(const std::vector<bool>& marked, const SoundingGraph& sound,
                                 std::span<const CommittedConnection> committed) const;
    /// Merges a unit that was committed later.
    void absorb(ChangeUnit later);
};

/// Returns the ports of started units that do not change in the round being built, sorted: those of units that do not
/// continue, and of units that change ports in `preparing` first.
[[nodiscard]] std::vector<PortRef> ports_of_later_rounds(std::span<const ChangeUnit> units,
                                                         std::vector<PortRef> preparing);

/// Returns whether what is wanted makes a node heard that is silent in the target, and at which a started unit has
/// ports to change later.
[[nodiscard]] bool hears_silenced_nodes(std::span<const ChangeUnit> units, const SoundingGraph& sound);

/// Merges the marked units into the first of them. Their promises are kept.
void merge_units(std::vector<ChangeUnit>& units, const std::vector<bool>& marked);

/// Merges waiting units whose ports lie on a common cycle of what sounds and what is committed. Each of them alone
/// might close the cycle, so none could start. After merging, the units close no cycle in any order of starts.
void merge_units_in_loops(std::vector<ChangeUnit>& units, const SoundingGraph& sound,
                          std::span<const CommittedConnection> committed);

}  // namespace rta
