// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/edit.h"
#include "graph/error.h"
#include "graph/layout.h"
#include "graph/node_type.h"

namespace rta {

/// Identity of a node for as long as the daemon runs: never reused, so a node that was removed and added again under
/// the same name is another node. Not a number to compute with.
class NodeId {
 public:
    constexpr NodeId() = default;
    constexpr explicit NodeId(std::uint64_t value) : value_{value} {}
    [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
    [[nodiscard]] constexpr auto operator<=>(const NodeId&) const = default;

 private:
    std::uint64_t value_ = 0;
};

/// One end of a connection: a port of a node, by its index among the node's inputs or outputs.
struct PortRef {
    NodeId node;
    std::uint32_t port = 0;
    [[nodiscard]] constexpr auto operator<=>(const PortRef&) const = default;
};

struct ConnectionKey {
    PortRef from;
    PortRef to;
    [[nodiscard]] constexpr auto operator<=>(const ConnectionKey&) const = default;
};

/// What a node is, unchangeable: shared between the graphs of successive revisions.
struct NodeDescription {
    std::string name;
    const NodeType* type;
    ResolvedSettings settings;
    Settings given_settings;  ///< as the client gave them: what a document shows
    NodeLayout layout;
};

struct GraphNode {
    NodeId id;
    std::shared_ptr<const NodeDescription> description;
    std::vector<float> parameters;  ///< in the order of the layout, in the parameter's own unit (dB, not factors)

    [[nodiscard]] const std::string& name() const { return description->name; }
};

struct GraphConnection {
    ConnectionKey key;
    float gain_db = 0.0F;
};

/// The graph as its users see it: nodes, connections, parameter values. A value type, control thread only: a transaction
/// edits a copy, and the copy replaces the original if every edit was good. [control]
class AudioGraph {
 public:
    AudioGraph() = default;

    // Every edit either does what it says or changes nothing and returns an error that names the thing at fault.
    Expected<NodeId> add_node(const NodeRegistry& registry, NodeId id, const AddNode& edit);
    Expected<void> remove_node(std::string_view name);
    Expected<void> connect(const Connect& edit);
    Expected<void> disconnect(const Disconnect& edit);
    Expected<void> set_parameter(std::string_view node, std::string_view parameter, float value);
    /// The node of that name becomes a new one, `id`, with the same connections and parameters.
    Expected<void> change_settings(NodeId id, const ChangeSettings& edit);

    /// FAILED_PRECONDITION naming the whole cycle, if there is one.
    [[nodiscard]] Expected<void> check_acyclic() const;

    [[nodiscard]] const GraphNode* find(std::string_view name) const;
    [[nodiscard]] const GraphNode* find(NodeId id) const;
    /// Resolves `node` or `node:port`; the port may be left out where the node has one.
    [[nodiscard]] Expected<PortRef> resolve_output(std::string_view text) const;
    [[nodiscard]] Expected<PortRef> resolve_input(std::string_view text) const;
    /// `node`, or `node:port` where the node has several.
    [[nodiscard]] std::string output_name(PortRef port) const;
    [[nodiscard]] std::string input_name(PortRef port) const;

    [[nodiscard]] std::size_t node_count() const { return nodes_.size(); }
    [[nodiscard]] const std::vector<GraphNode>& nodes() const { return nodes_; }
    [[nodiscard]] std::size_t connection_count() const { return connections_.size(); }
    [[nodiscard]] const std::map<ConnectionKey, float>& connections() const { return connections_; }  ///< gain in dB

    /// What `graph show` prints: every parameter with its value, settings as given, connections with a gain other than 0.
    [[nodiscard]] GraphDocument document() const;

 private:
    friend class GraphReplacement;
    std::vector<GraphNode> nodes_;  ///< by id
    std::unordered_map<std::string, std::size_t> index_by_name_;
    std::map<ConnectionKey, float> connections_;
};

}  // namespace rta
