// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "graph/audio_graph.h"
#include "plan/node_instance.h"

namespace rta {

/// Processors that were built ahead and have never run. Implementations must be thread-safe. [any] A worker calls take(); the
/// control thread calls put(), too, which must not wait for other threads.
class SpareProcessors {
 public:
    SpareProcessors() = default;
    SpareProcessors(const SpareProcessors&) = delete;
    SpareProcessors& operator=(const SpareProcessors&) = delete;
    virtual ~SpareProcessors() = default;

    /// Takes out a processor for a node of the same type and settings, at the same sample rate and block size; null if
    /// there is none.
    [[nodiscard]] virtual std::shared_ptr<NodeInstance> take(const NodeDescription& node) = 0;
    /// Adds a processor that has never run. Without memory, it is freed.
    virtual void put(std::shared_ptr<NodeInstance> instance) noexcept = 0;
};

}  // namespace rta
