// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sounding_graph.h"

namespace rta {

/// A port at which a signal is replaced by the same signal with another latency. A crossfade of the two would comb.
struct Shift {
    PortRef port;
    std::int64_t frames;  ///< by which what arrives is later than what leaves; 0 if that only is late already
    bool in_one_round;    ///< the change of the port closes no cycle with what sounds
};

/// Returns the shifts at `changed`, the sorted ports at which what is wanted differs from the target. Ports of nodes that
/// are not heard are left out, and so are signals that have no source in common. [control]
[[nodiscard]] std::vector<Shift> find_shifts(const SoundingGraph& sound, std::span<const PortRef> changed);

}  // namespace rta
