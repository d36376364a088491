// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/spare_processors.h"
#include "graph/audio_graph.h"
#include "plan/node_instance.h"

namespace rta::api {

/// Orders nodes by type and settings: what a processor is built from, in one engine.
struct ByTypeAndSettings {
    using is_transparent = void;
    using Shared = std::shared_ptr<const NodeDescription>;
    [[nodiscard]] bool operator()(const NodeDescription& a, const NodeDescription& b) const;
    [[nodiscard]] bool operator()(const Shared& a, const Shared& b) const { return (*this)(*a, *b); }
    [[nodiscard]] bool operator()(const Shared& a, const NodeDescription& b) const { return (*this)(*a, b); }
    [[nodiscard]] bool operator()(const NodeDescription& a, const Shared& b) const { return (*this)(a, *b); }
};

/// Spare processors of one engine, by type and settings. Only workers lock it: one of them has a low priority, and a
/// thread that waited for it would wait for all other programs. What comes back is pushed without a lock, and sorted by the next worker.
/// [any]
class ProcessorPool final : public SpareProcessors {
 public:
    using Description = std::shared_ptr<const NodeDescription>;
    /// How many processors of each type and settings there are, or shall be.
    using Counts = std::map<Description, std::size_t, ByTypeAndSettings>;

    ProcessorPool() = default;
    ~ProcessorPool() override;

    [[nodiscard]] std::shared_ptr<NodeInstance> take(const NodeDescription& node) override;
    void put(std::shared_ptr<NodeInstance> instance) noexcept override;
    /// Returns whether processors have come back since a worker has used it.
    // relaxed: orders no other data.
    [[nodiscard]] bool has_returned() const { return returned_.load(std::memory_order_relaxed) != nullptr; }

    // For workers.

    /// Takes out what exceeds `wanted`, to be freed.
    [[nodiscard]] std::vector<std::shared_ptr<NodeInstance>> take_surplus(const Counts& wanted);
    [[nodiscard]] std::size_t count(const NodeDescription& node);

 private:
    using Instances = std::vector<std::shared_ptr<NodeInstance>>;
    /// An element of a stack.
    struct Returned {
        std::shared_ptr<NodeInstance> instance;
        Returned* next;
    };
    struct Stack;

    void sort_returned();

    std::atomic<Returned*> returned_{nullptr};
    std::mutex mutex_;
    std::map<Description, Instances, ByTypeAndSettings> instances_;  ///< under mutex_
};

}  // namespace rta::api
