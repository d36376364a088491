// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// What the client knows of the daemon's graph: what is there, and which connections lead where. It follows the edits
/// of a transaction that is still being written, so that a later line may speak of what an earlier one adds. It is a
/// help in reading what was typed; what is so is for the daemon to say.
class KnownGraph {
 public:
    struct NodeInfo {
        std::string type;
        google::protobuf::Struct settings;
    };
    struct ConnectionInfo {
        std::string from;  ///< with its port, where that is known
        std::string to;    ///< likewise
        std::optional<float> gain_db;
    };

    KnownGraph(const v1::Graph& graph, const v1::NodeTypesResult& types);

    /// What the edit will make of the graph. An edit that the daemon will refuse does no harm.
    void follow(const v1::Edit& edit);

    using Nodes = std::map<std::string, NodeInfo, std::less<>>;
    [[nodiscard]] const Nodes& nodes() const { return nodes_; }
    /// nullptr if there is none of that name.
    [[nodiscard]] const NodeInfo* find(std::string_view name) const;
    /// Those that `from` and `to` may mean, each NODE or NODE:PORT: more than one only where a port was left out of a
    /// node that has several.
    [[nodiscard]] std::vector<ConnectionInfo> connections(std::string_view from, std::string_view to) const;

    /// All of them.
    [[nodiscard]] std::vector<ConnectionInfo> connections() const;
    /// Names of the node's ports; none where the node or its type is not known.
    [[nodiscard]] std::vector<std::string> output_ports(std::string_view node) const { return ports(node, true); }
    [[nodiscard]] std::vector<std::string> input_ports(std::string_view node) const { return ports(node, false); }

    /// "osc:out" of "osc", where the node has one output (input); else as it is.
    [[nodiscard]] std::string full_output(std::string_view port) const;
    [[nodiscard]] std::string full_input(std::string_view port) const;

 private:
    using Ends = std::pair<std::string, std::string>;

    [[nodiscard]] std::vector<std::string> ports(std::string_view node, bool output) const;
    /// The node's only output (input); empty: none, or several.
    [[nodiscard]] std::string sole_port(std::string_view node, bool output) const;
    void add(const v1::Node& node);
    void replace(const v1::Graph& graph);
    void remove(const std::string& name);
    void rename(const std::string& name, const std::string& new_name);

    std::map<std::string, v1::NodeType, std::less<>> types_;
    Nodes nodes_;
    std::map<Ends, std::optional<float>> connections_;
};

/// "osc" of "osc:out".
[[nodiscard]] std::string_view node_of(std::string_view port);

}  // namespace rta::rtactl
