// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/node_cost.h"
#include "graph/audio_graph.h"

namespace rta::api {

/// The costs of a graph: sums over its nodes and their connections.
struct GraphCost {
    std::int64_t nodes_ps = 0;       ///< of the nodes with a known cost, for a block
    std::int64_t unknown_nodes = 0;  ///< nodes without
    std::int64_t mix_outputs = 0;    ///< channels that are mixed
    std::int64_t mix_inputs = 0;     ///< channels of sources that are added to them

    [[nodiscard]] bool known() const { return unknown_nodes == 0; }
    /// Returns the time that a block takes, in seconds. The cost must be known.
    [[nodiscard]] double seconds(const MixCost& mixes) const {
        return 1e-12 * static_cast<double>(nodes_ps + mix_outputs * mixes.output_ps + mix_inputs * mixes.input_ps);
    }
    [[nodiscard]] bool operator==(const GraphCost&) const = default;
};

/// One node of each class whose cost is not known.
using Unmeasured = std::vector<std::shared_ptr<const NodeDescription>>;

/// The measured costs, by cost_class(). Thread-safe.
class NodeCosts {
 public:
    /// The oldest is forgotten. Graphs that run keep the costs of their nodes.
    static constexpr std::size_t kMaximumClasses = 4096;

    /// Nothing: not measured. A cost without `ps`: it cannot be measured.
    struct Cost {
        std::optional<std::int64_t> ps{};
    };
    [[nodiscard]] std::optional<Cost> find(std::uint64_t cost_class) const;
    void store(std::uint64_t cost_class, Cost cost);
    [[nodiscard]] MixCost mixes() const;
    void store(const MixCost& mixes);

    /// Measures the class of the node unless it is known, and first of all the mixes. Slow: runs on a worker, one at a
    /// time.
    void measure(const NodeDescription& node);
    /// Measures nodes until all are known, or kLongestMeasuring has passed.
    void measure(std::span<const std::shared_ptr<const NodeDescription>> nodes);

    /// Adds up the costs of a graph. At most kMostUnmeasured nodes are added to `unmeasured`, without those that cannot
    /// be measured.
    [[nodiscard]] GraphCost of(const AudioGraph& graph, Unmeasured& unmeasured) const;
    static constexpr std::size_t kMostUnmeasured = 256;

 private:
    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, Cost> costs_;
    std::deque<std::uint64_t> order_;  ///< the classes, the oldest first
    MixCost mixes_{};
    bool mixes_measured_ = false;
};

/// Adds the mixes at the inputs of a node, or subtracts them with `sign` -1. Returns whether the plan has a step for the
/// node: one that only forwards channels has none. [any]
bool add_mixes(const GraphNode& node, std::int64_t sign, GraphCost& cost);

}  // namespace rta::api
