// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "document/document.h"
#include "engine/config.h"
#include "graph/edit.h"
#include "graph/node_type.h"
#include "plan/node_instance.h"
#include "text/error.h"

namespace rta {

/// A node that has been built but is not part of a graph yet.
struct PreparedNode {
    std::shared_ptr<NodeInstance> instance;
    std::vector<float> parameters;  ///< values, each in the parameter's own unit
};

/// A node that has not been built yet.
struct DescribedNode {
    std::shared_ptr<const NodeDescription> description;
    std::vector<float> parameters;
    DocumentPosition position{};  ///< for errors about a document
};

/// Builds nodes. Slow, but independent of the graph, so any thread may do it.
class NodeBuilder {
 public:
    /// Memory that is set aside while nodes are built, so that transactions built at the same time cannot together take
    /// more than there is. Once a node has been built, the system counts its memory. [any]
    class Reservation {
     public:
        explicit Reservation(const NodeBuilder& builder) : builder_{builder} {}
        Reservation(const Reservation&) = delete;
        Reservation& operator=(const Reservation&) = delete;
        ~Reservation();
        /// Adds the memory of one more node. Error, with the name of the node: RESOURCE_EXHAUSTED if that is too much.
        [[nodiscard]] Expected<void> add(const NodeDescription& description);

     private:
        const NodeBuilder& builder_;
        std::uint64_t bytes_ = 0;
        std::optional<std::uint64_t> left_bytes_{};  ///< available when the first node that needs much was added
    };

    /// [control] Both must outlive the builder.
    NodeBuilder(const NodeRegistry& registry, const EngineConfig& config) : registry_{registry}, config_{config} {}

    /// [any] Errors, with the name of the node: a failed factory, RESOURCE_EXHAUSTED if memory is short.
    [[nodiscard]] Expected<std::shared_ptr<NodeInstance>> build(
        std::shared_ptr<const NodeDescription> description) const;
    /// [any] Describes the nodes that the edit adds: one for AddNode, all for ReplaceGraph, none for other edits.
    /// Errors: unknown type, invalid setting or parameter.
    [[nodiscard]] Expected<std::vector<DescribedNode>> describe(const Edit& edit) const;
    /// [any] Builds described nodes. Errors: those of build().
    [[nodiscard]] Expected<std::vector<PreparedNode>> build(std::vector<DescribedNode> nodes) const;

 private:
    [[nodiscard]] Expected<DescribedNode> describe(const std::string& type_name, const std::string& name,
                                                   const Settings& settings,
                                                   const std::map<std::string, float, std::less<>>& parameters) const;
    [[nodiscard]] BuildContext context_of(const NodeDescription& description) const {
        return {config_.sample_rate_hz, config_.block_size, description.settings};
    }
    [[nodiscard]] Expected<void> check_memory() const;

    const NodeRegistry& registry_;
    const EngineConfig& config_;
    // relaxed: counters that order no other data.
    mutable std::atomic<std::uint32_t> built_{0};
    mutable std::atomic<std::uint64_t> reserved_bytes_{0};  ///< of all reservations
};

}  // namespace rta
