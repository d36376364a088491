// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/document.h"
#include "engine/config.h"
#include "graph/edit.h"
#include "graph/node_type.h"
#include "plan/node_instance.h"
#include "text/error.h"

namespace rta {

/// A node that is not part of a graph yet.
struct PreparedNode {
    std::shared_ptr<const NodeDescription> description;
    std::vector<float> parameters;             ///< values, each in the parameter's own unit
    DocumentPosition position{};               ///< for errors about a document
    std::shared_ptr<NodeInstance> instance{};  ///< null: not built yet
    std::vector<std::string_view> drawn{};     ///< names of settings that were not given
};

/// Builds nodes. Slow, but independent of the graph, so any thread may do it.
class NodeBuilder {
 public:
    /// Memory reserved for nodes while they are built, so that transactions built at the same time cannot together take
    /// more than the available memory. Only types with an estimate (NodeType::memory_bytes) count. A node that has been
    /// built is counted twice until the reservation ends. [any]
    class Reservation {
     public:
        explicit Reservation(const NodeBuilder& builder) : builder_{builder} {}
        Reservation(const Reservation&) = delete;
        Reservation& operator=(const Reservation&) = delete;
        ~Reservation();
        /// Adds the memory of a node. The edit and the position are for the error.
        void add(const NodeDescription& description, std::optional<std::size_t> edit_index = {},
                 const DocumentPosition& position = {});
        /// RESOURCE_EXHAUSTED, with the first node that does not fit, if the memory is not enough for all.
        [[nodiscard]] Expected<void> check() const;

     private:
        struct Item {
            std::string node;
            std::uint64_t bytes;
            std::optional<std::size_t> edit_index;
            DocumentPosition position;
        };

        const NodeBuilder& builder_;
        std::vector<Item> items_;
        std::uint64_t bytes_ = 0;  ///< of all items
    };

    /// [control] Both must outlive the builder.
    NodeBuilder(const NodeRegistry& registry, const EngineConfig& config) : registry_{registry}, config_{config} {}

    /// [control] Sets the memory that the graph takes; GraphLimits allow a successor as much.
    void set_graph_memory(std::uint64_t bytes) { graph_bytes_.store(bytes, std::memory_order_relaxed); }
    /// [any] Checks that a graph may have nodes of `bytes`. Errors: RESOURCE_EXHAUSTED, with the node, the last of them.
    [[nodiscard]] Expected<void> check_graph_memory(const NodeDescription& node, std::uint64_t bytes) const;

    /// [any] Errors, with the name of the node: a failed factory, RESOURCE_EXHAUSTED if memory is short.
    [[nodiscard]] Expected<std::shared_ptr<NodeInstance>> build(
        std::shared_ptr<const NodeDescription> description) const;
    /// [any] Describes the nodes that the edit adds: one for AddNode, all for ReplaceGraph, none for other edits.
    /// Adds the settings that are drawn to the edit: random for AddNode, derived from the name for ReplaceGraph, so that
    /// a document always sounds the same. Errors: unknown type, invalid setting or parameter.
    [[nodiscard]] Expected<std::vector<PreparedNode>> describe(Edit& edit) const;

 private:
    /// `node`: an AddNode, or a node of a document. Adds the settings that are drawn to it.
    [[nodiscard]] Expected<PreparedNode> describe_node(auto& node, std::uint64_t random) const;
    [[nodiscard]] BuildContext context_of(const NodeDescription& description) const {
        return {config_.sample_rate_hz, config_.block_size, description.settings, *config_.resources};
    }
    [[nodiscard]] Expected<void> check_memory() const;

    const NodeRegistry& registry_;
    const EngineConfig& config_;
    // relaxed: counters that order no other data.
    mutable std::atomic<std::uint32_t> built_{0};
    mutable std::atomic<std::uint64_t> reserved_bytes_{0};  ///< of all reservations
    std::atomic<std::uint64_t> graph_bytes_{0};             ///< of the graph
};

}  // namespace rta
