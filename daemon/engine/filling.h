// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sounding_graph.h"

// A signal is filled from the frame on at which everything new on its path has received input for as long as look-ahead
// and delays last. Only then may a round make it audible.
namespace rta {

/// Computes from which frame on that is filled which entered in the plan `first_serial` or later, adopted at `frame`.
/// [control]
void fill(SoundingGraph& sound, std::uint64_t first_serial, std::uint64_t frame);

/// The inputs of these nodes have changed: their look-ahead, and that of what they feed, fills again from `frame` on.
/// [control]
void refill(SoundingGraph& sound, std::span<const PortRef> changed, std::uint64_t frame);

/// Returns for each node whether it has one of these ports, or plays what such a node sends. [control]
[[nodiscard]] std::vector<bool> fed_by(const SoundingGraph& sound, std::span<const PortRef> ports);

/// Returns the frame from which on all signals that lead to these ports, or will, are filled. [control]
[[nodiscard]] std::uint64_t filled_frame(const SoundingGraph& sound, std::span<const PortRef> ports);

/// Returns the longest time that anything takes to fill after the inputs of these nodes have changed, in frames: by what
/// sounds and what is wanted. [control]
[[nodiscard]] std::uint64_t frames_to_fill(const SoundingGraph& sound, std::span<const PortRef> changed);

}  // namespace rta
