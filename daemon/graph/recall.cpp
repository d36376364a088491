// SPDX-License-Identifier: MIT
#include "graph/recall.h"
#include "text/sort_range.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace rta {
namespace {

Expected<void> add_node(const GraphDocument::Node& node, NodeId id, const NodeRegistry& registry, double sample_rate_hz,
                        std::uint32_t block_size, AudioGraph& graph) {
    const auto type = registry.require(node.type);
    if (!type) return std::unexpected(type.error());
    Settings settings = node.settings;
    static_cast<void>(draw_settings((*type)->settings, random_from_name(node.name), settings));
    auto description =
        NodeDescription::make(**type, node.name, std::move(settings), sample_rate_hz, node.annotation, block_size);
    if (!description) return std::unexpected(std::move(description.error()));
    auto values = (*description)->parameter_values(node.parameters);
    if (!values) return std::unexpected(std::move(values.error()));
    return graph.add_node(id, std::move(*description), std::move(*values));
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
        const GraphNode* const same = find_same_node(graph, *node);
        placed.emplace_back(same != nullptr ? same->id : NodeId{next_id++}, node.get());
    }
    sort_range(placed);
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
        const GraphNode* const same = find_same_node(result_, node);
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

}  // namespace

Expected<AudioGraph> graph_of(const GraphDocument& document, const NodeRegistry& registry, double sample_rate_hz,
                              std::uint32_t block_size) {
    AudioGraph graph;
    std::uint64_t id = 0;
    for (const GraphDocument::Node& node : document.nodes) {
        if (auto added = add_node(node, NodeId{++id}, registry, sample_rate_hz, block_size, graph); !added)
            return std::unexpected(at_position(std::move(added.error()), node.position));
    }
    for (const GraphDocument::Connection& connection : document.connections) {
        auto connected = graph.connect(connection.from, connection.to, connection.gain_db);
        if (!connected) return std::unexpected(at_position(std::move(connected.error()), connection.position));
    }
    graph.set_latency_compensation(document.latency_compensation);
    if (auto described = graph.set_annotation(document.annotation); !described)
        return std::unexpected(std::move(described.error()));
    return graph;
}

const GraphNode* find_same_node(const AudioGraph& graph, const GraphNode& node) {
    const GraphNode* const found = graph.find(node.name());
    if (found == nullptr || found->description->type != node.description->type) return nullptr;
    return found->description->settings == node.description->settings ? found : nullptr;
}

Expected<AudioGraph> recalled(const AudioGraph& graph, std::uint64_t next_id, const AudioGraph& scene, bool partial) {
    return partial ? PartialRecall{graph, next_id, scene}.result() : whole_graph(graph, next_id, scene);
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

}  // namespace rta
