// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "graph/audio_graph.h"
#include "plan/node_instance.h"

namespace rta {

/// Orders nodes by type and settings: what a processor is built from, at one sample rate and block size.
struct ByTypeAndSettings {
    using Description = std::shared_ptr<const NodeDescription>;
    [[nodiscard]] bool operator()(const Description& a, const Description& b) const;
};

/// Processors that were built ahead and have never run. Thread-safe. [any]
class SpareProcessors {
 public:
    using Description = std::shared_ptr<const NodeDescription>;
    /// How many processors of each type and settings there are, or shall be.
    using Counts = std::map<Description, std::size_t, ByTypeAndSettings>;

    /// Takes out a processor for such a node; null if there is none.
    [[nodiscard]] std::shared_ptr<NodeInstance> take(const Description& description);
    /// Adds a processor that has never run.
    void put(std::shared_ptr<NodeInstance> instance);
    /// Takes out what exceeds `wanted`, to be freed.
    [[nodiscard]] std::vector<std::shared_ptr<NodeInstance>> take_surplus(const Counts& wanted);
    [[nodiscard]] std::size_t count(const Description& description) const;

 private:
    using Instances = std::vector<std::shared_ptr<NodeInstance>>;

    mutable std::mutex mutex_;
    std::map<Description, Instances, ByTypeAndSettings> instances_;  ///< under mutex_
};

}  // namespace rta
