// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/sounding_graph.h"

namespace rta {

/// A port at which a signal is replaced by the same signal with another latency. A crossfade of the two would cause
/// comb filtering.
struct Shift {
    PortRef port;
    std::int64_t frames;  ///< by which the new signal is later than the old one; 0 if only the old one is late already
    bool in_one_round;    ///< the change of the port closes no cycle with what sounds
};

/// Finds the shifts at the ports at which the wanted connections differ from the target. A shift depends on the
/// lateness of the signals at the ports before it, so ports are searched in the order of the signals, and each shift is
/// to be aligned before the next one is searched. [control]
class ShiftFinder {
 public:
    /// Returns by how many frames the signal of a connection is late, when the wanted connections begin to be heard.
    using LatenessOf = std::function<std::uint32_t(const SoundingGraph::Connection&)>;

    /// `sound` must outlive this object. `changed` is sorted.
    ShiftFinder(const SoundingGraph& sound, std::span<const PortRef> changed, LatenessOf lateness_of);

    /// Returns the ports at which a signal is replaced, in the order of the signals.
    [[nodiscard]] std::span<const PortRef> ports() const { return ports_; }
    /// Returns the shift at one of these ports. Ports of nodes that are not heard have none, nor have signals without a
    /// common source.
    [[nodiscard]] std::optional<Shift> find(PortRef port);
    /// Marks the nodes that feed only the old or only the new signal at the port of the latest shift.
    [[nodiscard]] std::vector<bool> different_sources() const;
    /// The lateness of signals has changed.
    void lateness_changed() { stale_ = true; }

 private:
    /// Nodes that feed the old and the new signal at a port.
    struct Sources {
        std::vector<bool> before;
        std::vector<bool> after;
    };

    [[nodiscard]] bool is_late(PortRef port) const;
    [[nodiscard]] bool is_in_loop(PortRef port) const;
    [[nodiscard]] Sources sources(PortRef port) const;
    [[nodiscard]] bool have_common_source() const;
    void update();
    void sort_ports(std::span<const std::uint32_t> order);
    [[nodiscard]] std::vector<std::int64_t> latencies(std::span<const std::uint32_t> order,
                                                      SoundingGraph::Counts counts) const;

    const SoundingGraph& sound_;
    LatenessOf lateness_of_;
    std::vector<PortRef> ports_;
    std::vector<bool> heard_;
    std::optional<std::vector<std::uint32_t>> order_before_;  ///< of the nodes; nullopt: there is a cycle
    std::optional<std::vector<std::uint32_t>> order_after_;
    bool acyclic_ = true;
    std::vector<std::int64_t> before_;  ///< latency at the output of each node, in frames
    std::vector<std::int64_t> after_;
    bool stale_ = true;  ///< the latencies
    std::size_t searched_ = 0;
    Sources latest_sources_;
};

}  // namespace rta
