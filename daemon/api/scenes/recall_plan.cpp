// SPDX-License-Identifier: MIT
#include "api/scenes/recall_plan.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "graph/difference.h"
#include "graph/node_structure.h"

namespace rta::api {
namespace {

/// More changes are not set in the commit step, but planned.
constexpr std::size_t kMostLostValues = 2'048;

/// Returns the node of the graph that stays as this node of a scene; null: none.
const GraphNode* find_same(const AudioGraph& graph, const GraphNode& node) {
    const GraphNode* const found = graph.find(node.name());
    if (found == nullptr || found->description->type != node.description->type) return nullptr;
    return found->description->settings == node.description->settings ? found : nullptr;
}

/// Returns the identity of the node that this node of a scene is, or replaces with other settings; none: it is a new one.
std::optional<NodeIdentity> identity_in(const AudioGraph& graph, const GraphNode& node) {
    const GraphNode* const found = graph.find(node.name());
    if (found == nullptr || found->description->type != node.description->type) return std::nullopt;
    return found->identity;
}

/// Ports are always named, because a node that replaces another may have a different number of them.
std::string output_text(const GraphNode& node, std::uint32_t port) {
    return node.name() + ":" + std::string{node.description->layout.outputs[port].name};
}
std::string input_text(const GraphNode& node, std::uint32_t port) {
    return node.name() + ":" + std::string{node.description->layout.inputs[port].name};
}

Expected<void> connect_as_in(const AudioGraph& scene, AudioGraph& graph) {
    for (const auto& node : scene.nodes()) {
        for (const IncomingConnection& connection : node->incoming) {
            const GraphNode& source = *scene.find(connection.from.node);
            auto connected = graph.connect(output_text(source, connection.from.port),
                                           input_text(*node, connection.to_port), connection.gain_db);
            if (!connected) return std::unexpected(std::move(connected.error()));
        }
    }
    return {};
}

/// The graph after the recall of a scene of all nodes.
Expected<AudioGraph> whole_graph(const AudioGraph& graph, std::uint64_t next_id, const AudioGraph& scene) {
    // Nodes are sorted by id: first those that stay, then the new ones.
    std::vector<std::pair<NodeId, const GraphNode*>> placed;
    placed.reserve(scene.node_count());
    for (const auto& node : scene.nodes()) {
        const GraphNode* const same = find_same(graph, *node);
        placed.emplace_back(same != nullptr ? same->id : NodeId{next_id++}, node.get());
    }
    std::ranges::sort(placed);
    AudioGraph result;
    for (const auto& [id, node] : placed) {
        if (auto added = result.add_node(id, node->description, node->parameters, identity_in(graph, *node)); !added)
            return std::unexpected(std::move(added.error()));
    }
    if (auto connected = connect_as_in(scene, result); !connected) return std::unexpected(std::move(connected.error()));
    result.set_latency_compensation(scene.latency_compensation());
    if (auto described = result.set_annotation(scene.annotation()); !described)
        return std::unexpected(std::move(described.error()));
    return result;
}

/// Changes the nodes of a graph that belong to a scene.
class PartialRecall {
 public:
    PartialRecall(const AudioGraph& graph, std::uint64_t next_id, const AudioGraph& scene)
        : scene_{scene}, result_{graph}, next_id_{next_id} {}

    Expected<AudioGraph> result() && {
        for (const auto& node : scene_.nodes()) {
            if (auto placed = place(*node); !placed) return std::unexpected(std::move(placed.error()));
        }
        if (auto disconnected = disconnect(); !disconnected) return std::unexpected(std::move(disconnected.error()));
        if (auto connected = connect_as_in(scene_, result_); !connected)
            return std::unexpected(std::move(connected.error()));
        // A node that was replaced may have lost the port.
        for (const Connect& edit : outside_) static_cast<void>(result_.connect(edit.from, edit.to, edit.gain_db));
        return std::move(result_);
    }

 private:
    Expected<void> place(const GraphNode& node) {
        const GraphNode* const same = find_same(result_, node);
        if (same == nullptr) return replace(node);
        const NodeId id = same->id;
        if (same->description->given_settings != node.description->given_settings ||
            same->description->annotation != node.description->annotation) {
            if (auto described = result_.rename_node(node.name(), node.description); !described) return described;
        }
        for (std::uint32_t p = 0; p < node.parameters.size(); ++p) result_.set_parameter({id, p}, node.parameters[p]);
        return {};
    }

    Expected<void> replace(const GraphNode& node) {
        const auto identity = identity_in(result_, node);
        if (const GraphNode* const old = result_.find(node.name())) {
            note_outside(*old);
            if (auto removed = result_.remove_node(node.name()); !removed) return removed;
        }
        return result_.add_node(NodeId{next_id_++}, node.description, node.parameters, identity);
    }

    /// Notes the connections to nodes that do not belong to the scene.
    void note_outside(const GraphNode& node) {
        for (const IncomingConnection& connection : node.incoming) {
            const GraphNode& source = *result_.find(connection.from.node);
            if (scene_.find(source.name()) != nullptr) continue;
            outside_.push_back(
                {output_text(source, connection.from.port), input_text(node, connection.to_port), connection.gain_db});
        }
        for (const NodeId id : node.targets()) {
            const GraphNode& target = *result_.find(id);
            if (scene_.find(target.name()) != nullptr) continue;
            for (const IncomingConnection& connection : target.incoming) {
                if (connection.from.node != node.id) continue;
                outside_.push_back({output_text(node, connection.from.port), input_text(target, connection.to_port),
                                    connection.gain_db});
            }
        }
    }

    /// Removes the connections between nodes of the scene that it does not have.
    Expected<void> disconnect() {
        std::vector<Disconnect> edits;
        for (const auto& wanted : scene_.nodes()) {
            const GraphNode& node = *result_.find(wanted->name());
            for (const IncomingConnection& connection : node.incoming) {
                const GraphNode& source = *result_.find(connection.from.node);
                const GraphNode* const wanted_source = scene_.find(source.name());
                if (wanted_source == nullptr) continue;
                const ConnectionKey key{{wanted->id, connection.to_port}, {wanted_source->id, connection.from.port}};
                if (scene_.find(key) == nullptr)
                    edits.push_back({output_text(source, connection.from.port), input_text(node, connection.to_port)});
            }
        }
        for (const Disconnect& edit : edits) {
            if (auto disconnected = result_.disconnect(edit.from, edit.to); !disconnected) return disconnected;
        }
        return {};
    }

    const AudioGraph& scene_;
    AudioGraph result_;
    std::uint64_t next_id_;
    std::vector<Connect> outside_;
};

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
        if (find_same(graph, *node) == nullptr) ++counts[node->description];
    }
    return counts;
}

Expected<AudioGraph> recalled(const AudioGraph& graph, std::uint64_t next_id, const SceneContent& scene) {
    return scene.partial ? PartialRecall{graph, next_id, scene.graph}.result()
                         : whole_graph(graph, next_id, scene.graph);
}

std::vector<Edit> recall_edits(const AudioGraph& graph, const AudioGraph& result, std::uint64_t next_id,
                               std::optional<float> fade_ms, Pairs pairs) {
    std::vector<Edit> edits = difference(graph, result, pairs);
    for (Edit& edit : edits) {
        if (auto* const change = std::get_if<SetParameter>(&edit); change != nullptr && fade_ms)
            change->ramp_ms = fade_ms;
        // A new node gets its identity with its id. The id in `result` is a guess: another node may get it.
        if (auto* const add = std::get_if<AddNode>(&edit); add != nullptr && add->identity >= next_id)
            add->identity = kNewIdentity;
    }
    return edits;
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
