// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

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

/// Builds nodes. Slow, but independent of the graph, so any thread may do it.
class NodeBuilder {
 public:
    /// [control] Both must outlive the builder.
    NodeBuilder(const NodeRegistry& registry, const EngineConfig& config) : registry_{registry}, config_{config} {}

    /// [any] Errors, with the name of the node: a failed factory, RESOURCE_EXHAUSTED if memory is short.
    [[nodiscard]] Expected<std::shared_ptr<NodeInstance>> build(
        std::shared_ptr<const NodeDescription> description) const;
    /// [any] Builds the nodes that the edit adds: one for AddNode, all for ReplaceGraph, none for other edits. Errors:
    /// unknown type, invalid setting or parameter, and those of build().
    [[nodiscard]] Expected<std::vector<PreparedNode>> build_for(const Edit& edit) const;

 private:
    [[nodiscard]] Expected<PreparedNode> build(const std::string& type_name, const std::string& name,
                                               const Settings& settings,
                                               const std::map<std::string, float, std::less<>>& parameters) const;

    [[nodiscard]] Expected<void> check_memory(const NodeType& type, const BuildContext& context) const;

    const NodeRegistry& registry_;
    const EngineConfig& config_;
    mutable std::atomic<std::uint32_t> built_{0};  ///< relaxed: only a counter
};

}  // namespace rta
