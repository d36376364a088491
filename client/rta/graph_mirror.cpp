// SPDX-License-Identifier: MIT
#include "rta/graph_mirror.h"

#include <algorithm>
#include <optional>
#include <set>

#include "rta/type_table.h"
#include "text/format_number.h"

namespace rta {

namespace {

bool has_port(std::string_view port) { return port.find(':') != std::string_view::npos; }

/// Returns whether `port` of a connection is `wanted`, or a port of the node `wanted`.
bool matches(std::string_view wanted, std::string_view port) {
    return wanted == port || (!has_port(wanted) && node_of(port) == wanted);
}

/// Returns NODE:PORT if the node has only one port, else NODE.
std::string with_only_port(std::string_view node, const std::vector<std::string>& ports) {
    return ports.size() == 1 ? std::string{node} + ":" + ports.front() : std::string{node};
}

float default_of(const v1::NodeType* type, std::string_view parameter) {
    const auto info = type == nullptr ? std::nullopt : find_parameter(*type, parameter);
    return info ? info->default_() : 0.0F;
}

/// Returns the names of the repeated settings whose number is greater than the count.
std::vector<std::string> beyond_their_count(const v1::NodeType& type, const google::protobuf::Struct& settings) {
    std::set<std::string> existing;
    for (const v1::SettingInfo& setting : settings_of(type, settings)) existing.insert(setting.name());
    std::vector<std::string> beyond;
    for (const auto& [name, value] : settings.fields()) {
        const auto row = find_setting(type, name);
        if (row && row->has_repeated_by() && !existing.contains(name)) beyond.push_back(name);
    }
    return beyond;
}

float value_after(const v1::SetParameter& change, float current) {
    switch (change.relative_case()) {
        case v1::SetParameter::kAdd:
            return decimal_sum(current, change.add());
        case v1::SetParameter::kToggle:
            return current == 0.0F ? 1.0F : 0.0F;
        case v1::SetParameter::RELATIVE_NOT_SET:
            break;
    }
    return change.value();
}

}  // namespace

std::string_view node_of(std::string_view port) { return port.substr(0, port.find(':')); }

std::string_view port_of(std::string_view port) { return port.substr(std::min(node_of(port).size() + 1, port.size())); }

GraphMirror::GraphMirror(const v1::Graph& graph, const v1::NodeTypesResult& types) {
    set_types(types);
    replace(graph);
}

void GraphMirror::set_types(const v1::NodeTypesResult& types) {
    types_.clear();
    for (const v1::NodeType& type : types.types()) types_.emplace(type.name(), type);
}

void GraphMirror::update(const SubscriptionItem& item) {
    std::visit([this](const auto& alternative) { update(alternative); }, item);
}

void GraphMirror::update(const Resync& resync) {
    if (resync.types) set_types(*resync.types);
    replace(resync.graph.graph());
    revision_ = resync.graph.revision();
    change_number_ = resync.graph.change_number();
}

void GraphMirror::update(const v1::Event& event) {
    if (event.number() != 0) change_number_ = event.number();
    if (event.has_graph_changed()) revision_ = event.graph_changed().revision();
    for (const v1::Edit& edit : event.graph_changed().edits()) apply(edit);
    for (const v1::SetParameter& change : event.parameters_changed().changes()) set_parameter(change);
}

void GraphMirror::add(const v1::Node& node) {
    nodes_.insert_or_assign(node.name(), NodeInfo{.type = node.type(),
                                                  .settings = node.settings(),
                                                  .parameters = node.parameters(),
                                                  .texts = {node.title(), node.description()}});
}

void GraphMirror::replace(const v1::Graph& graph) {
    nodes_.clear();
    connections_.clear();
    latency_compensation_ = graph.latency_compensation();
    texts_ = {graph.title(), graph.description()};
    for (const v1::Node& node : graph.nodes()) add(node);
    for (const v1::Connection& connection : graph.connections()) {
        connections_.insert_or_assign(Ends{full_output(connection.from()), full_input(connection.to())},
                                      connection.has_gain_db() ? std::optional{connection.gain_db()} : std::nullopt);
    }
}

void GraphMirror::remove(const std::string& name) {
    nodes_.erase(name);
    std::erase_if(connections_, [&](const auto& connection) {
        return node_of(connection.first.first) == name || node_of(connection.first.second) == name;
    });
}

void GraphMirror::rename(const std::string& name, const std::string& new_name) {
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

void GraphMirror::change_settings(const v1::ChangeSettings& change) {
    const auto node = nodes_.find(change.node());
    if (node == nodes_.end()) return;
    google::protobuf::Struct& settings = node->second.settings;
    for (const auto& [name, value] : change.settings().fields()) (*settings.mutable_fields())[name] = value;
    for (const std::string& name : change.defaults()) settings.mutable_fields()->erase(name);
    const v1::NodeType* type = type_of(change.node());
    if (type == nullptr) return;
    for (const std::string& name : beyond_their_count(*type, settings)) {
        if (!change.settings().fields().contains(name)) settings.mutable_fields()->erase(name);
    }
}

void GraphMirror::set_parameter(const v1::SetParameter& change) {
    const auto node = nodes_.find(change.node());
    if (node == nodes_.end()) return;
    const auto known = node->second.parameters.find(change.parameter());
    const float current =
        known != node->second.parameters.end() ? known->second : default_of(type_of(change.node()), change.parameter());
    node->second.parameters[change.parameter()] = value_after(change, current);
}

void GraphMirror::describe(const v1::Describe& change) {
    const auto node = nodes_.find(change.node());
    if (!change.node().empty() && node == nodes_.end()) return;
    Texts& texts = change.node().empty() ? texts_ : node->second.texts;
    if (change.has_title()) texts.title = change.title();
    if (change.has_description()) texts.description = change.description();
}

void GraphMirror::apply(const v1::Edit& edit) {
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
        case v1::Edit::kChangeSettings:
            return change_settings(edit.change_settings());
        case v1::Edit::kReplaceGraph:
            return replace(edit.replace_graph());
        case v1::Edit::kSetParameter:
            return set_parameter(edit.set_parameter());
        case v1::Edit::kSetLatencyCompensation:
            latency_compensation_ = edit.set_latency_compensation().enabled();
            return;
        case v1::Edit::kDescribe:
            return describe(edit.describe());
        case v1::Edit::EDIT_NOT_SET:
            return;
    }
}

v1::Graph GraphMirror::graph() const {
    v1::Graph graph;
    graph.set_latency_compensation(latency_compensation_);
    graph.set_title(texts_.title);
    graph.set_description(texts_.description);
    for (const auto& [name, info] : nodes_) {
        v1::Node& node = *graph.add_nodes();
        node.set_name(name);
        node.set_type(info.type);
        node.set_title(info.texts.title);
        node.set_description(info.texts.description);
        if (!info.settings.fields().empty()) *node.mutable_settings() = info.settings;
        *node.mutable_parameters() = info.parameters;
        const v1::NodeType* type = type_of(name);
        if (type == nullptr) continue;
        // A change of settings adds parameters, with their defaults, and removes others.
        node.clear_parameters();
        for (const v1::ParameterInfo& parameter : parameters_of(*type, info.settings)) {
            const auto known = info.parameters.find(parameter.name());
            (*node.mutable_parameters())[parameter.name()] =
                known == info.parameters.end() ? parameter.default_() : known->second;
        }
    }
    for (const auto& [ends, gain_db] : connections_) {
        v1::Connection& connection = *graph.add_connections();
        connection.set_from(short_output(ends.first));
        connection.set_to(short_input(ends.second));
        if (gain_db && *gain_db != 0.0F) connection.set_gain_db(*gain_db);
    }
    return graph;
}

const GraphMirror::NodeInfo* GraphMirror::find(std::string_view name) const {
    const auto found = nodes_.find(name);
    return found == nodes_.end() ? nullptr : &found->second;
}

std::optional<float> GraphMirror::parameter(std::string_view node, std::string_view name) const {
    const NodeInfo* const info = find(node);
    const v1::NodeType* const type = type_of(node);
    if (type == nullptr) return std::nullopt;
    for (const v1::ParameterInfo& row : parameters_of(*type, info->settings)) {
        if (row.name() != name) continue;
        const auto known = info->parameters.find(row.name());
        return known == info->parameters.end() ? row.default_() : known->second;
    }
    return std::nullopt;
}

std::vector<GraphMirror::ConnectionInfo> GraphMirror::connections(std::string_view from, std::string_view to) const {
    const std::string full_from = full_output(from);
    const std::string full_to = full_input(to);
    std::vector<ConnectionInfo> found = connections();
    std::erase_if(found, [&](const ConnectionInfo& connection) {
        return !matches(full_from, connection.from) || !matches(full_to, connection.to);
    });
    return found;
}

std::vector<GraphMirror::ConnectionInfo> GraphMirror::connections() const {
    std::vector<ConnectionInfo> all;
    all.reserve(connections_.size());
    for (const auto& [ends, gain_db] : connections_) all.push_back({ends.first, ends.second, gain_db});
    return all;
}

std::vector<GraphMirror::ConnectionInfo> GraphMirror::connections_of(std::string_view node) const {
    std::vector<ConnectionInfo> found = connections();
    std::erase_if(found, [&](const ConnectionInfo& connection) {
        return node_of(connection.from) != node && node_of(connection.to) != node;
    });
    return found;
}

const v1::NodeType* GraphMirror::type_of(std::string_view node) const {
    const NodeInfo* info = find(node);
    const auto type = info == nullptr ? types_.end() : types_.find(info->type);
    return type == types_.end() ? nullptr : &type->second;
}

std::vector<std::string> GraphMirror::output_ports(std::string_view node) const {
    const v1::NodeType* type = type_of(node);
    return type == nullptr ? std::vector<std::string>{} : port_names(type->outputs(), *type, find(node)->settings);
}

std::vector<std::string> GraphMirror::input_ports(std::string_view node) const {
    const v1::NodeType* type = type_of(node);
    return type == nullptr ? std::vector<std::string>{} : port_names(type->inputs(), *type, find(node)->settings);
}

unsigned GraphMirror::output_width(std::string_view port) const {
    const v1::NodeType* type = type_of(node_of(port));
    return type == nullptr ? 0 : port_width(type->outputs(), *type, find(node_of(port))->settings, port_of(port));
}

unsigned GraphMirror::input_width(std::string_view port) const {
    const v1::NodeType* type = type_of(node_of(port));
    return type == nullptr ? 0 : port_width(type->inputs(), *type, find(node_of(port))->settings, port_of(port));
}

std::string GraphMirror::full_output(std::string_view port) const {
    return has_port(port) ? std::string{port} : with_only_port(port, output_ports(port));
}

std::string GraphMirror::full_input(std::string_view port) const {
    return has_port(port) ? std::string{port} : with_only_port(port, input_ports(port));
}

std::string GraphMirror::short_output(std::string_view port) const {
    return std::string{output_ports(node_of(port)).size() == 1 ? node_of(port) : port};
}

std::string GraphMirror::short_input(std::string_view port) const {
    return std::string{input_ports(node_of(port)).size() == 1 ? node_of(port) : port};
}

}  // namespace rta
