// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "graph/graph_limits.h"
#include "resources/resources.h"

namespace rta {

struct EngineConfig {
    double sample_rate_hz = 48'000.0;
    std::uint32_t block_size = 64;  ///< frames; a power of two from 16 to 1024
    /// False: ramps and fades take no time. For one test binary only, which proves that the click tests can fail.
    bool ramps = true;
    GraphLimits limits{};  ///< for transactions that are not exempt
    /// Memory of processors of removed nodes that an undo can put back.
    std::uint64_t kept_bytes = std::uint64_t{64} << 20U;
    /// [any] Returns the bytes of memory still available on this machine; nullptr if unknown. Nodes that would need
    /// more are refused.
    std::uint64_t (*memory_left_bytes)() = nullptr;
    /// [any] Returns the processor time of the calling thread in seconds. Transactions whose validation on a worker
    /// takes more than kMaximumEditS are refused; nullptr: none is.
    double (*thread_time_s)() = nullptr;
    /// [any] Returns a random number, for settings that are drawn when a node is added; nullptr: derived from its name,
    /// as for the nodes of a document.
    std::uint64_t (*random)() = nullptr;
    /// The files of nodes; must outlive the engine. Never null.
    Resources* resources = &no_files();
};

}  // namespace rta
