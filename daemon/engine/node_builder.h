// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "graph/edit.h"
#include "graph/node_type.h"
#include "plan/node_instance.h"
#include "text/error.h"

namespace rta {

/// A node ready to enter a graph, built before it is known whether the graph will have it.
struct PreparedNode {
    std::shared_ptr<NodeInstance> instance;
    std::vector<float> parameters;  ///< in their own units
};

/// Builds nodes: slow work that looks at no graph, so any thread may do it. [any]
class NodeBuilder {
 public:
    /// Both outlive it.
    NodeBuilder(const NodeRegistry& registry, const EngineConfig& config) : registry_{registry}, config_{config} {}

    /// Errors, with the node's name: a factory that refused, RESOURCE_EXHAUSTED where memory is short.
    [[nodiscard]] Expected<std::shared_ptr<NodeInstance>> build(
        std::shared_ptr<const NodeDescription> description) const;
    /// The nodes that the edit brings along: one of AddNode, all of ReplaceGraph. Errors: an unknown type, a bad
    /// setting or parameter, a factory that refused.
    [[nodiscard]] Expected<std::vector<PreparedNode>> build_for(const Edit& edit) const;

 private:
    [[nodiscard]] Expected<PreparedNode> build(const std::string& type_name, const std::string& name,
                                               const Settings& settings,
                                               const std::map<std::string, float, std::less<>>& parameters) const;

    [[nodiscard]] Expected<void> check_memory(const NodeType& type, const BuildContext& context) const;

    const NodeRegistry& registry_;
    const EngineConfig& config_;
    mutable std::atomic<std::uint32_t> built_{0};  ///< relaxed: it only counts
};

}  // namespace rta
