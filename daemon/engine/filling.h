// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sounding_graph.h"

// A signal is filled from the frame at which everything new on its path has received input for the duration of
// look-ahead and delays. A round may make it audible only after that.
namespace rta {

/// Computes the frames from which nodes and connections are filled that entered in the plan `first_serial` or later,
/// adopted at `frame`. [control]
void fill(SoundingGraph& sound, std::uint64_t first_serial, std::uint64_t frame);

/// The inputs of these nodes have changed: their look-ahead, and that of the nodes that they feed, fills again from
/// `frame` on. [control]
void refill(SoundingGraph& sound, std::span<const PortRef> changed, std::uint64_t frame);

/// Returns for each node whether it has one of these ports, or is fed by a node that has. [control]
[[nodiscard]] std::vector<bool> fed_by(const SoundingGraph& sound, std::span<const PortRef> ports);

/// Returns the frame from which all signals are filled that lead to these ports now or in the future. [control]
[[nodiscard]] std::uint64_t filled_frame(const SoundingGraph& sound, std::span<const PortRef> ports);

/// Returns the longest time in frames that any signal takes to fill after the inputs of these nodes have changed, along
/// connections that sound or are wanted. [control]
[[nodiscard]] std::uint64_t frames_to_fill(const SoundingGraph& sound, std::span<const PortRef> changed);

}  // namespace rta
