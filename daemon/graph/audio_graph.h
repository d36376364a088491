// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph/edit.h"
#include "graph/layout.h"
#include "graph/node_type.h"
#include "graph/topological_order.h"
#include "text/error.h"

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

/// Ordered by where it leads, so that the connections of one port stand together.
struct ConnectionKey {
    PortRef to;
    PortRef from;
    [[nodiscard]] constexpr auto operator<=>(const ConnectionKey&) const = default;
};

/// What a node is, unchangeable: shared by the graphs of successive revisions and by the node's processor.
struct NodeDescription {
    std::string name;
    const NodeType* type;
    ResolvedSettings settings;
    Settings given_settings;  ///< as the client gave them: what a document shows
    NodeLayout layout;

    /// Resolves `given` for `type`. Errors name the node.
    [[nodiscard]] static Expected<std::shared_ptr<const NodeDescription>> make(const NodeType& type, std::string name,
                                                                               Settings given);
    /// Values of all parameters, in the parameters' own units: those given, else the defaults.
    /// NOT_FOUND or INVALID_ARGUMENT, naming the parameter.
    [[nodiscard]] Expected<std::vector<float>> parameter_values(
        const std::map<std::string, float, std::less<>>& given) const;
};

/// A connection as its destination keeps it.
struct IncomingConnection {
    std::uint32_t to_port;
    PortRef from;
    float gain_db = 0.0F;
};

struct GraphNode {
    NodeId id;
    std::shared_ptr<const NodeDescription> description;
    std::vector<float> parameters;             ///< in the order of the layout, in the parameter's own unit
    std::vector<IncomingConnection> incoming;  ///< sorted by (to_port, from)
    std::vector<NodeId> outgoing;              ///< one entry a connection

    [[nodiscard]] const std::string& name() const { return description->name; }
};

/// The graph as its users see it: nodes, connections, parameter values. A value type, control thread only: a
/// transaction edits a copy, and the copy replaces the original if every edit was good. Copies share the nodes that no
/// edit touches, so copying a graph of 10,000 nodes costs a fraction of compiling it. [control]
class AudioGraph {
 public:
    // Every edit either does what it says or changes nothing and returns an error that names the thing at fault.

    /// ALREADY_EXISTS if the name is taken, INVALID_ARGUMENT if it is no name. `id` is new to every graph;
    /// `parameters` has one value for each parameter of the description.
    Expected<void> add_node(NodeId id, std::shared_ptr<const NodeDescription> description,
                            std::vector<float> parameters);
    Expected<void> remove_node(std::string_view name);
    /// `description` is the node's own under another name. ALREADY_EXISTS and INVALID_ARGUMENT as in add_node().
    Expected<void> rename_node(std::string_view name, std::shared_ptr<const NodeDescription> description);
    /// Width mismatches are FAILED_PRECONDITION. A repeated connect sets the gain of the connection that is there.
    /// Does not look for cycles: check_acyclic() does, once for a whole transaction.
    Expected<void> connect(std::string_view from, std::string_view to, std::optional<float> gain_db);
    Expected<void> disconnect(std::string_view from, std::string_view to);
    Expected<void> set_parameter(std::string_view node, std::string_view parameter, float value);
    /// The node of that name becomes the node `id` with this description, keeping the connections to ports and the
    /// values of parameters that it still has. FAILED_PRECONDITION where a connection no longer fits.
    Expected<void> replace_node(NodeId id, std::shared_ptr<const NodeDescription> description);

    /// FAILED_PRECONDITION naming the whole cycle, if there is one.
    [[nodiscard]] Expected<void> check_acyclic() const;
    /// Indices in nodes(), every node behind those that feed it.
    [[nodiscard]] std::expected<std::vector<std::uint32_t>, Cycle> order() const;

    /// Whether the compiler delays what would come early where paths of different latency meet.
    void set_latency_compensation(bool compensates) { latency_compensation_ = compensates; }
    [[nodiscard]] bool latency_compensation() const { return latency_compensation_; }

    /// Where a parameter is; NOT_FOUND or INVALID_ARGUMENT if it cannot take `value`.
    struct ParameterPlace {
        NodeId node;
        std::uint32_t index;
    };
    [[nodiscard]] Expected<ParameterPlace> check_parameter(std::string_view node, std::string_view parameter,
                                                           float value) const;

    /// nullptr if there is none.
    [[nodiscard]] const GraphNode* find(std::string_view name) const;
    [[nodiscard]] const GraphNode* find(NodeId id) const;
    /// NOT_FOUND, with the names that there are.
    [[nodiscard]] Expected<const GraphNode*> require(std::string_view name) const;

    [[nodiscard]] std::size_t node_count() const { return nodes_.size(); }
    /// By id, which is the order in which they were added.
    [[nodiscard]] std::span<const std::shared_ptr<const GraphNode>> nodes() const { return nodes_; }
    /// In nodes(); of an id that the graph does not have, where it would stand.
    [[nodiscard]] std::size_t index_of(NodeId id) const;
    [[nodiscard]] std::size_t connection_count() const { return connection_count_; }

    /// `node`, or `node:port` where the node has several.
    [[nodiscard]] std::string output_name(PortRef port) const;
    [[nodiscard]] std::string input_name(PortRef port) const;

    /// What `graph show` prints: every parameter with its value, settings as given, connections with a gain other than
    /// 0.
    [[nodiscard]] GraphDocument document() const;

 private:
    [[nodiscard]] GraphNode& writable(NodeId id);
    [[nodiscard]] Expected<void> check_new_name(std::string_view name) const;
    /// Resolves `node` or `node:port`; the port may be left out where the node has one.
    [[nodiscard]] Expected<PortRef> resolve_output(std::string_view text) const;
    [[nodiscard]] Expected<PortRef> resolve_input(std::string_view text) const;
    [[nodiscard]] Expected<void> check_widths(PortRef from, PortRef to) const;

    std::vector<std::shared_ptr<const GraphNode>> nodes_;  ///< by id
    std::unordered_map<std::string_view, NodeId> ids_;     ///< views of the names in the descriptions
    std::size_t connection_count_ = 0;
    bool latency_compensation_ = false;
};

}  // namespace rta
