// SPDX-License-Identifier: MIT
#include "api/scenes/recall_plan.h"

#include <string>

#include "graph/node_structure.h"

namespace rta::api {
namespace {

/// More changes are not set in the commit step, but planned.
constexpr std::size_t kMostLostValues = 2'048;

/// Adds the changes of the parameters of a node that were those of the scene when it was planned, and are not any more.
void add_lost_values(const GraphNode& planned, const GraphNode& now, const GraphNode& wanted,
                     std::optional<float> fade_ms, std::vector<SetParameter>& changes) {
    const auto& parameters = now.description->layout.parameters;
    for (std::uint32_t p = 0; p < parameters.size(); ++p) {
        if (now.parameters[p] == planned.parameters[p]) continue;
        const auto index = wanted.description->layout.find_parameter(parameters[p].name);
        if (!index) continue;
        const float value = wanted.parameters[*index];
        if (planned.parameters[p] == value && now.parameters[p] != value)
            changes.push_back({now.name(), std::string{parameters[p].name}, value, fade_ms});
    }
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

std::optional<std::vector<SetParameter>> lost_values(const AudioGraph& planned, const AudioGraph& now,
                                                     const SceneContent& scene, std::optional<float> fade_ms) {
    if (planned.node_count() != now.node_count() || planned.annotation() != now.annotation() ||
        planned.latency_compensation() != now.latency_compensation())
        return std::nullopt;
    std::vector<SetParameter> changes;
    for (std::size_t i = 0; i < now.nodes().size(); ++i) {
        const auto& node = now.nodes()[i];
        const auto& before = planned.nodes()[i];
        if (node == before) continue;  // most, which are not read
        if (node->id != before->id || !same_structure(*before, *node)) return std::nullopt;
        const GraphNode* const wanted = scene.graph.find(node->name());
        if (wanted == nullptr || wanted->description->type != node->description->type) continue;
        add_lost_values(*before, *node, *wanted, fade_ms, changes);
        if (changes.size() > kMostLostValues) return std::nullopt;
    }
    return changes;
}

}  // namespace rta::api
