// SPDX-License-Identifier: MIT
#include "api/scenes/recall_plan.h"

#include <string>

#include "graph/node_structure.h"

namespace rta::api {
namespace {

/// More changes are not set in the commit step, but planned.
constexpr std::size_t kMostLostValues = 2'048;

/// Adds the changes of the parameters of a node that were those of the scene when it was planned, and are not any more.
/// Returns false if the node has a value now that it cannot have with the settings of the scene.
bool add_lost_values(const GraphNode& planned, const GraphNode& now, const GraphNode& wanted,
                     std::optional<float> fade_ms, std::vector<SetParameter>& changes) {
    const auto& parameters = now.description->layout.parameters;
    for (std::uint32_t p = 0; p < parameters.size(); ++p) {
        if (now.parameters[p] == planned.parameters[p]) continue;
        const auto index = wanted.description->layout.find_parameter(parameters[p].name);
        if (!index) continue;
        const ParameterSpec& spec = wanted.description->layout.parameters[*index];
        if (now.parameters[p] < spec.minimum || now.parameters[p] > spec.maximum) return false;
        const float value = wanted.parameters[*index];
        if (planned.parameters[p] == value && now.parameters[p] != value)
            changes.push_back({wanted.name(), std::string{parameters[p].name}, value, fade_ms});
    }
    return true;
}

}  // namespace

ProcessorPool::Counts nodes_to_add(const AudioGraph& graph, const SceneContent& scene) {
    ProcessorPool::Counts counts;
    for (const auto& node : scene.graph.nodes()) {
        if (find_same_node(graph, *node) == nullptr) ++counts[node->description];
    }
    return counts;
}

Expected<AudioGraph> recalled(const AudioGraph& graph, std::uint64_t next_id, const SceneContent& scene) {
    return rta::recalled(graph, next_id, scene.graph, scene.partial);
}

RecalledNodes::RecalledNodes(const AudioGraph& result, const SceneContent& scene) {
    nodes_.reserve(scene.graph.node_count());
    for (const auto& node : scene.graph.nodes()) {
        if (const GraphNode* const recalled = result.find(node->name()))
            nodes_.emplace_back(recalled->identity, node.get());
    }
    std::ranges::sort(nodes_);
}

const GraphNode* RecalledNodes::find(NodeIdentity identity) const {
    const auto found =
        std::ranges::lower_bound(nodes_, identity, {}, &std::pair<NodeIdentity, const GraphNode*>::first);
    return found != nodes_.end() && found->first == identity ? found->second : nullptr;
}

std::optional<std::vector<SetParameter>> lost_values(const AudioGraph& planned, const AudioGraph& now,
                                                     const RecalledNodes& scene, std::optional<float> fade_ms) {
    if (planned.node_count() != now.node_count() || planned.annotation() != now.annotation() ||
        planned.latency_compensation() != now.latency_compensation())
        return std::nullopt;
    std::vector<SetParameter> changes;
    for (std::size_t i = 0; i < now.nodes().size(); ++i) {
        const auto& node = now.nodes()[i];
        const auto& before = planned.nodes()[i];
        if (node == before) continue;  // most, which are not read
        if (node->id != before->id || !same_structure(*before, *node)) return std::nullopt;
        const GraphNode* const wanted = scene.find(node->identity);
        if (wanted == nullptr || wanted->description->type != node->description->type) continue;
        if (!add_lost_values(*before, *node, *wanted, fade_ms, changes)) return std::nullopt;
        if (changes.size() > kMostLostValues) return std::nullopt;
    }
    return changes;
}

}  // namespace rta::api
