// SPDX-License-Identifier: MIT
#include "rtactl/language/graph_mirror.h"

#include <optional>

#include "rtactl/language/type_table.h"

namespace rta::rtactl {

namespace {

bool has_port(std::string_view port) { return port.find(':') != std::string_view::npos; }

/// Whether `port`, as a connection has it, is what `wanted` says: the same, or a port of that node.
bool means(std::string_view wanted, std::string_view port) {
    return wanted == port || (!has_port(wanted) && node_of(port) == wanted);
}

}  // namespace

std::string_view node_of(std::string_view port) { return port.substr(0, port.find(':')); }

KnownGraph::KnownGraph(const v1::Graph& graph, const v1::NodeTypesResult& types) {
    for (const v1::NodeType& type : types.types()) types_.emplace(type.name(), type);
    replace(graph);
}

void KnownGraph::add(const v1::Node& node) {
    nodes_.insert_or_assign(node.name(), NodeInfo{node.type(), node.settings()});
}

void KnownGraph::replace(const v1::Graph& graph) {
    nodes_.clear();
    connections_.clear();
    for (const v1::Node& node : graph.nodes()) add(node);
    for (const v1::Connection& connection : graph.connections()) {
        connections_.insert_or_assign(Ends{full_output(connection.from()), full_input(connection.to())},
                                      connection.has_gain_db() ? std::optional{connection.gain_db()} : std::nullopt);
    }
}

void KnownGraph::remove(const std::string& name) {
    nodes_.erase(name);
    std::erase_if(connections_, [&](const auto& connection) {
        return node_of(connection.first.first) == name || node_of(connection.first.second) == name;
    });
}

void KnownGraph::rename(const std::string& name, const std::string& new_name) {
    if (auto node = nodes_.extract(name)) {
        node.key() = new_name;
        nodes_.insert(std::move(node));
    }
    const auto renamed = [&](const std::string& port) {
        return node_of(port) == name ? new_name + port.substr(name.size()) : port;
    };
    decltype(connections_) connections;
    for (const auto& [ends, gain_db] : connections_)
        connections.emplace(Ends{renamed(ends.first), renamed(ends.second)}, gain_db);
    connections_ = std::move(connections);
}

void KnownGraph::follow(const v1::Edit& edit) {
    switch (edit.edit_case()) {
        case v1::Edit::kAddNode:
            return add(edit.add_node());
        case v1::Edit::kRemoveNode:
            return remove(edit.remove_node().name());
        case v1::Edit::kRenameNode:
            return rename(edit.rename_node().name(), edit.rename_node().new_name());
        case v1::Edit::kConnect: {
            const v1::Connection& connection = edit.connect();
            connections_.insert_or_assign(
                Ends{full_output(connection.from()), full_input(connection.to())},
                connection.has_gain_db() ? std::optional{connection.gain_db()} : std::nullopt);
            return;
        }
        case v1::Edit::kDisconnect:
            connections_.erase(Ends{full_output(edit.disconnect().from()), full_input(edit.disconnect().to())});
            return;
        case v1::Edit::kChangeSettings: {
            const auto node = nodes_.find(edit.change_settings().node());
            if (node == nodes_.end()) return;
            for (const auto& [name, value] : edit.change_settings().settings().fields())
                (*node->second.settings.mutable_fields())[name] = value;
            return;
        }
        case v1::Edit::kReplaceGraph:
            return replace(edit.replace_graph());
        case v1::Edit::kSetParameter:
        case v1::Edit::kSetLatencyCompensation:
        case v1::Edit::EDIT_NOT_SET:
            return;
    }
}

const KnownGraph::NodeInfo* KnownGraph::find(std::string_view name) const {
    const auto found = nodes_.find(name);
    return found == nodes_.end() ? nullptr : &found->second;
}

std::vector<KnownGraph::ConnectionInfo> KnownGraph::connections(std::string_view from, std::string_view to) const {
    const std::string full_from = full_output(from);
    const std::string full_to = full_input(to);
    std::vector<ConnectionInfo> found = connections();
    std::erase_if(found, [&](const ConnectionInfo& connection) {
        return !means(full_from, connection.from) || !means(full_to, connection.to);
    });
    return found;
}

std::vector<KnownGraph::ConnectionInfo> KnownGraph::connections() const {
    std::vector<ConnectionInfo> all;
    all.reserve(connections_.size());
    for (const auto& [ends, gain_db] : connections_) all.push_back({ends.first, ends.second, gain_db});
    return all;
}

std::vector<std::string> KnownGraph::ports(std::string_view node, bool output) const {
    const NodeInfo* info = find(node);
    if (info == nullptr) return {};
    const auto type = types_.find(info->type);
    if (type == types_.end()) return {};
    return port_names(output ? type->second.outputs() : type->second.inputs(), type->second, info->settings);
}

std::string KnownGraph::sole_port(std::string_view node, bool output) const {
    auto names = ports(node, output);
    return names.size() == 1 ? std::move(names.front()) : "";
}

std::string KnownGraph::full_output(std::string_view port) const {
    const std::string sole = has_port(port) ? "" : sole_port(port, true);
    return sole.empty() ? std::string{port} : std::string{port} + ":" + sole;
}

std::string KnownGraph::full_input(std::string_view port) const {
    const std::string sole = has_port(port) ? "" : sole_port(port, false);
    return sole.empty() ? std::string{port} : std::string{port} + ":" + sole;
}

}  // namespace rta::rtactl
