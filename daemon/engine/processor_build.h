// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/draft.h"
#include "engine/node_builder.h"
#include "engine/run_on_worker.h"

namespace rta {

/// New processors for nodes of the graph, built on a worker while the graph keeps playing. Shared with the work, which
/// alone accesses the result until done(). [control]
class ProcessorBuild {
 public:
    struct Node {
        NodeId id;
        std::shared_ptr<const NodeDescription> description;
    };
    /// Behaviour if a node cannot be built or memory is short.
    enum class OnError : std::uint8_t {
        stop,  ///< nothing more is built, and result() has the error
        skip,  ///< the other nodes are built
    };

    /// Starts to build. `builder` must outlive the work.
    [[nodiscard]] static std::shared_ptr<ProcessorBuild> start(const RunOnWorker& run, const NodeBuilder& builder,
                                                               std::vector<Node> nodes, OnError on_error);

    [[nodiscard]] bool done() const { return done_; }
    /// Stops the work before the next node; the result is discarded.
    void abandon() { wanted_.store(false, std::memory_order_relaxed); }

    [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
    /// Must be called when done().
    [[nodiscard]] const Expected<void>& result() const { return result_; }
    /// Returns the built instances, by the ids of their nodes. Must be called when done().
    [[nodiscard]] const NodeInstances& built() const { return built_; }

 private:
    [[nodiscard]] Expected<void> build_all(const NodeBuilder& builder);
    void build_each(const NodeBuilder& builder);
    [[nodiscard]] bool wanted() const { return wanted_.load(std::memory_order_relaxed); }

    std::vector<Node> nodes_;
    NodeInstances built_;
    Expected<void> result_{};
    std::atomic<bool> wanted_{true};  ///< relaxed: orders no other data
    bool done_ = false;               ///< accessed by the control thread only
};

}  // namespace rta
