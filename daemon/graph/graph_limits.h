// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "document/document_size.h"

namespace rta {

/// What a graph takes.
struct GraphSize {
    std::size_t nodes = 0;
    std::size_t connections = 0;
    std::uint64_t memory_bytes = 0;  ///< estimate for the processors of all nodes
    std::size_t document_bytes = 0;  ///< upper bound of the document's length
};

/// How large a client may make the graph. A graph that is larger already, because it was saved before a limit was
/// lowered, can be edited, but not enlarged in what exceeds the limit.
struct GraphLimits {
    /// No document of kLongestDocument has more nodes or connections: each takes at least 30 bytes.
    static constexpr std::size_t kMostElements = 600'000;
    static constexpr std::uint64_t kMostDelayBytes = std::uint64_t{256} << 20U;

    std::size_t nodes = 100'000;
    std::size_t connections = 400'000;
    std::uint64_t memory_bytes = 0;  ///< 0: as much as the machine has
    /// The delays are allocated in the commit, on the control thread, so they have a maximum.
    std::uint64_t delay_bytes = kMostDelayBytes;
    std::size_t document_bytes = kLongestDocument;

    /// Limits of every graph, whether a client or the operator has made it.
    [[nodiscard]] static constexpr GraphLimits widest() {
        return {.nodes = kMostElements, .connections = kMostElements};
    }

    /// Returns the size that a graph may get which has the size `present` now.
    [[nodiscard]] GraphSize bounds(const GraphSize& present) const {
        const std::uint64_t memory = memory_bytes == 0 ? static_cast<std::uint64_t>(-1) : memory_bytes;
        return {.nodes = std::max(nodes, present.nodes),
                .connections = std::max(connections, present.connections),
                .memory_bytes = std::max(memory, present.memory_bytes),
                .document_bytes = std::max(document_bytes, present.document_bytes)};
    }
};

}  // namespace rta
