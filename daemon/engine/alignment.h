// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
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

/// Returns the shifts at `changed`, the sorted ports at which the wanted connections differ from the target. Ports of
/// nodes that are not heard are omitted, and so are signals without a common source. [control]
[[nodiscard]] std::vector<Shift> find_shifts(const SoundingGraph& sound, std::span<const PortRef> changed);

}  // namespace rta
