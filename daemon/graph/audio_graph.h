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
#include <utility>
#include <vector>

#include "document/document_size.h"
#include "graph/edit.h"
#include "graph/graph_limits.h"
#include "graph/layout.h"
#include "graph/name_table.h"
#include "graph/node_type.h"
#include "graph/shared_vector.h"
#include "graph/topological_order.h"
#include "text/error.h"

namespace rta {

/// Identity of a node. Never reused while the daemon runs: a node that is removed and added again under the same name
/// gets another id.
class NodeId {
 public:
    constexpr NodeId() = default;
    constexpr explicit NodeId(std::uint64_t value) : value_{value} {}
    [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
    [[nodiscard]] constexpr auto operator<=>(const NodeId&) const = default;

 private:
    std::uint64_t value_ = 0;
};

/// See GraphNode::identity. That of a new node is the value of its id.
enum class NodeIdentity : std::uint64_t {};

/// One end of a connection: a port of a node, by its index among the node's inputs or outputs.
struct PortRef {
    NodeId node;
    std::uint32_t port = 0;
    [[nodiscard]] constexpr auto operator<=>(const PortRef&) const = default;
};

/// Ordered by destination, so that the connections of one port are adjacent.
struct ConnectionKey {
    PortRef to;
    PortRef from;
    [[nodiscard]] constexpr auto operator<=>(const ConnectionKey&) const = default;
};

/// The immutable part of a node, shared by the graphs of successive revisions and the node's instance. [any]
struct NodeDescription {
    std::string name;
    const NodeType* type;
    ResolvedSettings settings;
    Settings given_settings;  ///< as the client gave them; documents contain these
    NodeLayout layout;
    std::size_t document_bytes;  ///< upper bound of the node in a document, without its name, for all parameter values
    Annotation annotation;
    double sample_rate_hz;       ///< to which the layout belongs
    std::uint32_t block_size;    ///< frames
    std::uint64_t memory_bytes;  ///< estimate for the processor at this rate and block size
    std::uint64_t cost_class;    ///< see cost_class()

    /// [any] Resolves the settings `given` for `type`. Errors contain the name of the node.
    [[nodiscard]] static Expected<std::shared_ptr<const NodeDescription>> make(const NodeType& type, std::string name,
                                                                               Settings given,
                                                                               double sample_rate_hz = kTableRateHz,
                                                                               Annotation annotation = {},
                                                                               std::uint32_t block_size = 64);
    /// [any] Returns the node with another title and description. Errors: INVALID_ARGUMENT if they are too long.
    [[nodiscard]] Expected<std::shared_ptr<const NodeDescription>> with_annotation(Annotation changed) const;
    /// [any] Returns the values of all parameters, each in its own unit: the given value or the default.
    /// Errors: NOT_FOUND or INVALID_ARGUMENT, with the name of the parameter.
    [[nodiscard]] Expected<std::vector<float>> parameter_values(
        const std::map<std::string, float, std::less<>>& given) const;
    /// [any] Checks the values of all parameters together. Errors: INVALID_ARGUMENT, with the name of the node.
    [[nodiscard]] Expected<void> check_together(std::span<const float> values) const;
};

/// A connection, stored in its destination.
struct IncomingConnection {
    std::uint32_t to_port;
    PortRef from;
    float gain_db = 0.0F;
};

struct GraphNode {
    NodeId id;
    std::shared_ptr<const NodeDescription> description;
    std::vector<float> parameters;             ///< in the order of the layout, each in its own unit
    std::vector<IncomingConnection> incoming;  ///< sorted by (to_port, from)
    std::vector<NodeId> outgoing;              ///< destination of each outgoing connection
    /// Stays the same while the node is renamed or gets other settings, when it is removed and an undo brings it back, and
    /// across restarts, as far as the history reaches: that is why a node may have an identity other than its id.
    NodeIdentity identity{};

    [[nodiscard]] const std::string& name() const { return description->name; }
    /// Returns the nodes that this one feeds, each once, ascending.
    [[nodiscard]] std::vector<NodeId> targets() const;
    /// Returns the length of the node's name in a document: the node and its connections contain it.
    [[nodiscard]] std::size_t bytes_of_name() const { return name().size() * (1 + incoming.size() + outgoing.size()); }
};

/// The graph as its users see it: nodes, connections, parameter values. A value type: a transaction edits a copy, which
/// replaces the original if all edits succeed. Copies share the nodes that are not edited, so copying a graph of 10,000
/// nodes costs a fraction of compiling it. One thread may use a graph at a time. Other threads may read copies, as
/// long as the thread that edits the original keeps a copy that outlives their reads.
class AudioGraph {
 public:
    /// A parameter by its node and its index in the layout.
    struct ParameterPlace {
        NodeId node;
        std::uint32_t index;
    };

    // Every edit either succeeds or changes nothing and returns an error.

    /// Adds a node. `id` must be larger than all ids used before; `parameters` holds one value for each parameter of
    /// the description. Without `identity`, it is a new node. Errors: ALREADY_EXISTS if the name is taken,
    /// INVALID_ARGUMENT if it is not a valid name.
    Expected<void> add_node(NodeId id, std::shared_ptr<const NodeDescription> description,
                            std::vector<float> parameters, std::optional<NodeIdentity> identity = {});
    /// Removes a node and its connections.
    Expected<void> remove_node(std::string_view name);
    /// Renames a node. `description` is the current one with another name. Errors as in add_node().
    Expected<void> rename_node(std::string_view name, std::shared_ptr<const NodeDescription> description);
    /// Adds a connection, or sets the gain of an existing one. Does not detect cycles: order() does, once for a whole
    /// transaction. Errors: FAILED_PRECONDITION if the widths do not match.
    Expected<ConnectionKey> connect(std::string_view from, std::string_view to, std::optional<float> gain_db);
    Expected<void> disconnect(std::string_view from, std::string_view to);
    /// Allocates the memory that set_parameter() needs, also for a series of values of which this is one. The graph stays
    /// as it is.
    void prepare_to_set(const ParameterPlace& place, float value);
    /// Sets a parameter to a value that has been checked. Does nothing if the node does not exist.
    void set_parameter(const ParameterPlace& place, float value);
    /// Sets the gain of a connection, in dB. Returns false if it does not exist.
    bool set_gain(const ConnectionKey& connection, float gain_db);
    /// Returns the connection, or nullptr if not found.
    [[nodiscard]] const IncomingConnection* find(const ConnectionKey& connection) const;
    /// Replaces the node of the same name by the node `id` with this description. Its identity, its connections, and the
    /// values of parameters that still exist, are kept. Errors: a connection or value that is no longer valid.
    Expected<void> replace_node(NodeId id, std::shared_ptr<const NodeDescription> description);

    /// Sets the identity of a node that exists.
    void set_identity(NodeId id, NodeIdentity identity) { writable(id).identity = identity; }

    /// Until compact() is called, edits that remove nodes do not move the other nodes, and only edits and find() may be
    /// called. Otherwise, removing all nodes one by one takes time that grows with the square of their number.
    void defer_compaction() { compaction_deferred_ = true; }
    void compact();

    /// Moves the ids of nodes that were added to a copy of a graph behind those that the graph has assigned since.
    struct IdShift {
        NodeId first_added;       ///< and all higher ids
        std::uint64_t count = 0;  ///< by which they rise

        [[nodiscard]] NodeId apply(NodeId id) const { return id < first_added ? id : NodeId{id.value() + count}; }
        [[nodiscard]] ConnectionKey apply(const ConnectionKey& key) const {
            return {{apply(key.to.node), key.to.port}, {apply(key.from.node), key.from.port}};
        }
        [[nodiscard]] GraphNode apply(GraphNode node) const;
    };
    /// Returns the names that belong to different nodes in this graph and in `base`, an earlier copy of it, or to a
    /// node in one of them only. Valid as long as both graphs.
    [[nodiscard]] std::vector<std::string_view> names_changed_since(const AudioGraph& base) const;
    /// Applies the differences between `base`, an earlier copy of this graph, and `edited`. If both graphs have changed
    /// the same parameter, that of `edited` is taken. Returns false, and leaves this graph unusable, if both have
    /// changed the name, the settings or the same connection of a node, or one has removed a node that the other has
    /// changed. Does not detect cycles.
    [[nodiscard]] bool merge(const AudioGraph& base, const AudioGraph& edited, const IdShift& shift);

    /// Returns the error for a cycle found by order(): FAILED_PRECONDITION, with the path or its beginning.
    [[nodiscard]] Error cycle_error(const Cycle& cycle) const;
    /// Returns indices into nodes(), every node after its sources.
    [[nodiscard]] std::expected<std::vector<std::uint32_t>, Cycle> order() const;

    /// Sets whether the compiler aligns paths of different latency by delays.
    void set_latency_compensation(bool enabled) { latency_compensation_ = enabled; }
    [[nodiscard]] bool latency_compensation() const { return latency_compensation_; }

    /// Sets the title and the description of the graph. Errors: INVALID_ARGUMENT if they are too long.
    Expected<void> set_annotation(Annotation annotation);
    [[nodiscard]] const Annotation& annotation() const { return annotation_; }

    /// Finds a parameter. Errors: NOT_FOUND.
    [[nodiscard]] Expected<ParameterPlace> find_parameter(std::string_view node, std::string_view parameter) const;

    /// Returns the node, or nullptr if not found.
    [[nodiscard]] const GraphNode* find(std::string_view name) const;
    [[nodiscard]] const GraphNode* find(NodeId id) const;
    /// Returns the node. Errors: NOT_FOUND, with the names of existing nodes.
    [[nodiscard]] Expected<const GraphNode*> require(std::string_view name) const;

    [[nodiscard]] std::size_t node_count() const { return nodes_.size() - gap_count_; }
    /// Returns the ids of nodes(), in the same order.
    [[nodiscard]] std::span<const NodeId> node_ids() const { return node_ids_; }
    /// Returns the nodes sorted by id, which is the order in which they were added.
    [[nodiscard]] std::span<const std::shared_ptr<const GraphNode>> nodes() const { return nodes_; }
    /// Returns the ids of the device sinks, ascending.
    [[nodiscard]] std::span<const NodeId> device_sinks() const { return device_sinks_; }
    /// Returns the index in nodes(), or the index at which a node with this id would be inserted.
    [[nodiscard]] std::size_t index_of(NodeId id) const;
    [[nodiscard]] std::size_t connection_count() const { return connection_count_; }
    /// Returns an upper bound of the length of the written document, in bytes. Every parameter counts with the longest
    /// number in its range, so a change of a parameter does not change the bound.
    [[nodiscard]] std::size_t document_bytes() const { return document_bytes_; }
    /// Returns what the graph takes, without its compensating delays, which depend on latencies.
    [[nodiscard]] GraphSize size() const {
        return {.nodes = node_count(),
                .connections = connection_count_,
                .memory_bytes = memory_bytes_,
                .document_bytes = document_bytes_};
    }
    /// Returns whether the graph, which had the size `before`, may have its size.
    [[nodiscard]] bool fits(const GraphLimits& limits, const GraphSize& before) const;
    /// Checks the same. Errors: RESOURCE_EXHAUSTED, with the limit.
    [[nodiscard]] Expected<void> check_size(const GraphLimits& limits, const GraphSize& before) const;

    /// Resolves `node:port`, or `node` if the node has one output. Errors: NOT_FOUND, INVALID_ARGUMENT.
    [[nodiscard]] Expected<PortRef> resolve_output(std::string_view text) const;
    /// Returns `node`, or `node:port` if the node has several outputs.
    [[nodiscard]] std::string output_name(PortRef port) const;
    /// Returns `node`, or `node:port` if the node has several inputs.
    [[nodiscard]] std::string input_name(PortRef port) const;

    /// Returns the graph as a document: all parameters with their values, settings as given, and the gains of
    /// connections that are not 0 dB.
    [[nodiscard]] GraphDocument document() const;

 private:
    struct Differences;
    [[nodiscard]] GraphNode& writable(NodeId id);
    void push_back(std::shared_ptr<const GraphNode> node);
    void erase(std::size_t index);
    /// Returns a graph of the node and the nodes that are connected to it.
    [[nodiscard]] AudioGraph with_neighbours(const GraphNode& node) const;
    [[nodiscard]] Expected<void> check_new_name(std::string_view name) const;
    [[nodiscard]] Expected<PortRef> resolve_input(std::string_view text) const;
    [[nodiscard]] Expected<void> check_widths(PortRef from, PortRef to) const;
    /// Checks that `layout` has all ports of the node that are connected.
    [[nodiscard]] Expected<void> check_ports(const GraphNode& node, const NodeLayout& layout) const;
    /// Returns the length of the connection in a document.
    [[nodiscard]] std::size_t bytes_of(NodeId to, const IncomingConnection& connection) const;

    std::vector<std::shared_ptr<const GraphNode>> nodes_;  ///< by id; null: removed, until compact()
    SharedVector<NodeId> node_ids_;                        ///< of nodes_: a search by id reads nothing else
    std::size_t gap_count_ = 0;                            ///< nodes that are null
    bool compaction_deferred_ = false;
    std::vector<NodeId> device_sinks_;
    NameTable ids_;
    std::size_t connection_count_ = 0;
    std::size_t document_bytes_ = kEmptyDocumentBytes;
    std::uint64_t memory_bytes_ = 0;  ///< of the descriptions
    bool latency_compensation_ = false;
    Annotation annotation_;
};

}  // namespace rta
