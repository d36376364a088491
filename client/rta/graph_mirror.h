// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rta/subscription.h"
#include "rta/v1/control.pb.h"

namespace rta {

/// Copy of the daemon's graph, kept up to date with the items of a subscription or with edits. Only the daemon
/// validates. Not thread-safe.
///
///     rta::GraphMirror mirror;
///     while (auto item = subscription.next()) mirror.update(*item);
class GraphMirror {
 public:
    /// Of a node, or of the graph.
    struct Texts {
        std::string title;
        std::string description;
    };
    struct NodeInfo {
        std::string type;
        google::protobuf::Struct settings;
        google::protobuf::Map<std::string, float> parameters;  ///< those that were set; see parameter()
        Texts texts;
    };
    struct ConnectionInfo {
        std::string from;  ///< with its port, if known
        std::string to;    ///< with its port, if known
        std::optional<float> gain_db;
    };

    /// An empty graph, without node types.
    GraphMirror() = default;
    GraphMirror(const v1::Graph& graph, const v1::NodeTypesResult& types);

    /// Applies the next item of a subscription with TOPIC_CHANGES.
    void update(const SubscriptionItem& item);
    /// Revision of the graph, and number of the latest change: those of the last item. 0 before the first.
    [[nodiscard]] std::uint64_t revision() const { return revision_; }
    [[nodiscard]] std::uint64_t change_number() const { return change_number_; }

    /// Applies an edit. Edits that the daemon would refuse are ignored or applied in part.
    void apply(const v1::Edit& edit);

    /// Returns the graph as the daemon sends it: with all parameters of each node.
    [[nodiscard]] v1::Graph graph() const;

    using Nodes = std::map<std::string, NodeInfo, std::less<>>;
    [[nodiscard]] const Nodes& nodes() const { return nodes_; }
    /// Returns nullptr if no node has that name.
    [[nodiscard]] const NodeInfo* find(std::string_view name) const;
    /// Returns the value of a parameter, or its default; while it is ramping, its target. Returns nullopt if the node has no
    /// such parameter.
    [[nodiscard]] std::optional<float> parameter(std::string_view node, std::string_view name) const;
    /// Returns the connections that match `from` and `to`, each NODE or NODE:PORT. There can be several only if the
    /// port of a node with several ports is omitted.
    [[nodiscard]] std::vector<ConnectionInfo> connections(std::string_view from, std::string_view to) const;

    /// Returns all connections.
    [[nodiscard]] std::vector<ConnectionInfo> connections() const;
    /// Returns the names of the ports of a node; empty if the node or its type is not known.
    [[nodiscard]] std::vector<std::string> output_ports(std::string_view node) const;
    [[nodiscard]] std::vector<std::string> input_ports(std::string_view node) const;

    /// Returns the connections of a node.
    [[nodiscard]] std::vector<ConnectionInfo> connections_of(std::string_view node) const;
    /// Returns the number of channels of a port, NODE:PORT; 0 if it is not known.
    [[nodiscard]] unsigned output_width(std::string_view port) const;
    [[nodiscard]] unsigned input_width(std::string_view port) const;

    /// Returns "osc:out" for "osc" if the node has only one output (input); otherwise returns `port` unchanged.
    [[nodiscard]] std::string full_output(std::string_view port) const;
    [[nodiscard]] std::string full_input(std::string_view port) const;
    /// Returns "osc" for "osc:out" if the node has only one output (input); otherwise returns `port` unchanged.
    [[nodiscard]] std::string short_output(std::string_view port) const;
    [[nodiscard]] std::string short_input(std::string_view port) const;

 private:
    using Ends = std::pair<std::string, std::string>;

    /// Returns nullptr if the node or its type is not known.
    [[nodiscard]] const v1::NodeType* type_of(std::string_view node) const;

    void update(const v1::Event& event);
    void update(const Resync& resync);
    void set_types(const v1::NodeTypesResult& types);
    void add(const v1::Node& node);
    void replace(const v1::Graph& graph);
    void remove(const std::string& name);
    void rename(const std::string& name, const std::string& new_name);
    void change_settings(const v1::ChangeSettings& change);
    void set_parameter(const v1::SetParameter& change);
    void describe(const v1::Describe& change);

    std::map<std::string, v1::NodeType, std::less<>> types_;
    Nodes nodes_;
    std::map<Ends, std::optional<float>> connections_;
    bool latency_compensation_ = false;
    Texts texts_;
    std::uint64_t revision_ = 0;
    std::uint64_t change_number_ = 0;
};

/// Returns "osc" for "osc:out".
[[nodiscard]] std::string_view node_of(std::string_view port);
/// Returns "out" for "osc:out"; empty for "osc".
[[nodiscard]] std::string_view port_of(std::string_view port);

}  // namespace rta
