// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "graph/audio_graph.h"
#include "text/error.h"

namespace rta {

/// Time that the mixes of a graph take in a block, in picoseconds.
struct MixCost {
    std::int64_t output_ps = 0;  ///< of each channel that is mixed
    std::int64_t input_ps = 0;   ///< of each channel of a source that is added to it
};

/// [any] Measures the time that a processor with this description takes for a block, in picoseconds: of a new one, with
/// noise at its inputs, and with its default parameters, except that levels which would let it skip work are not used.
/// Before each block, the processor's memory leaves the first-level cache, as it does while other nodes run. Takes some
/// ms; builds the processor. Errors: those of the factory; RESOURCE_EXHAUSTED for a node that takes more memory than
/// kMostMeasuredBytes.
[[nodiscard]] Expected<std::int64_t> measure_node_ps(const NodeDescription& node);
inline constexpr std::uint64_t kMostMeasuredBytes = std::uint64_t{64} << 20U;

/// [any] Measures the mixes. Takes less than 5 ms.
[[nodiscard]] MixCost measure_mixes(std::uint32_t block_size);

}  // namespace rta
