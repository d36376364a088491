// SPDX-License-Identifier: MIT
#include "rtactl/context/graph_diff.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "rta/edits.h"
#include "rta/graph_mirror.h"
#include "rta/type_table.h"
#include "rtactl/drawing/node_values.h"

namespace rta::rtactl {

namespace {

using Nodes = std::map<std::string, const v1::Node*, std::less<>>;
/// Gain in dB of each connection, by its two ports.
using Connections = std::map<std::pair<std::string, std::string>, float>;

Nodes nodes_of(const v1::Graph& graph) {
    Nodes nodes;
    for (const v1::Node& node : graph.nodes()) nodes.emplace(node.name(), &node);
    return nodes;
}

Connections connections_of(const v1::Graph& graph, const v1::NodeTypesResult& types) {
    Connections connections;
    for (const GraphMirror::ConnectionInfo& connection : GraphMirror{graph, types}.connections())
        connections.emplace(std::pair{connection.from, connection.to}, connection.gain_db.value_or(0.0F));
    return connections;
}

class Comparison {
 public:
    Comparison(const v1::Graph& current, const v1::Graph& wanted, const v1::NodeTypesResult& types)
        : types_{types},
          current_graph_{current},
          wanted_graph_{wanted},
          current_{nodes_of(current)},
          wanted_{nodes_of(wanted)},
          current_connections_{connections_of(current, types)},
          wanted_connections_{connections_of(wanted, types)} {
        for (const auto& [name, node] : wanted_) {
            if (!stays(name)) continue;
            v1::ChangeSettings change = changed_settings(*current_.at(name), *node);
            if (!change.settings().fields().empty()) settings_changes_.emplace(name, std::move(change));
        }
    }

    std::vector<v1::Edit> edits() && {
        disconnect();
        remove();
        for (const auto& [name, node] : wanted_) {
            if (!stays(name)) add(*node);
        }
        // New settings may lower the maximum of a parameter. Values that are valid with the current settings are
        // therefore set first, all others after the settings.
        set_parameters(Stage::before_settings);
        for (const auto& [name, change] : settings_changes_) *edits_.emplace_back().mutable_change_settings() = change;
        set_parameters(Stage::after_settings);
        connect();
        if (wanted_graph_.latency_compensation() != current_graph_.latency_compensation()) {
            edits_.emplace_back().mutable_set_latency_compensation()->set_enabled(wanted_graph_.latency_compensation());
        }
        describe({}, current_graph_, wanted_graph_);
        for (const auto& [name, node] : wanted_) {
            if (stays(name)) describe(name, *current_.at(name), *node);
        }
        return std::move(edits_);
    }

 private:
    enum class Stage : std::uint8_t { before_settings, after_settings };

    bool stays(std::string_view name) const {
        const auto before = current_.find(name);
        const auto after = wanted_.find(name);
        return before != current_.end() && after != wanted_.end() && before->second->type() == after->second->type();
    }
    /// Returns whether both nodes of a connection stay; otherwise removing a node removes the connection.
    bool outlives_nodes(const Connections::key_type& ends) const {
        return stays(node_of(ends.first)) && stays(node_of(ends.second));
    }

    /// Returns whether the settings of both nodes change. Their widths may not match between the two changes, so the
    /// connection is removed first and made again afterwards.
    bool is_remade(const Connections::key_type& ends) const {
        return settings_changes_.contains(node_of(ends.first)) && settings_changes_.contains(node_of(ends.second));
    }

    void disconnect() {
        for (const auto& [ends, gain_db] : current_connections_) {
            if (outlives_nodes(ends) && (!wanted_connections_.contains(ends) || is_remade(ends)))
                edits_.push_back(disconnect_edit(ends.first, ends.second));
        }
    }

    void remove() {
        for (const auto& [name, node] : current_) {
            if (!stays(name)) edits_.emplace_back().mutable_remove_node()->set_name(name);
        }
    }

    void add(const v1::Node& node) {
        v1::Node& added = *edits_.emplace_back().mutable_add_node();
        added = node;
        const v1::NodeType* const type = find_type(types_, node.type());
        if (type == nullptr) return;
        for (const v1::ParameterInfo& parameter : parameters_of(*type, node.settings())) {
            const auto given = added.parameters().find(parameter.name());
            if (given != added.parameters().end() && given->second == parameter.default_())
                added.mutable_parameters()->erase(parameter.name());
        }
    }

    /// `before` and `after`: two graphs, or two nodes called `node`.
    void describe(const std::string& node, const auto& before, const auto& after) {
        if (before.title() == after.title() && before.description() == after.description()) return;
        v1::Describe& edit = *edits_.emplace_back().mutable_describe();
        edit.set_node(node);
        if (before.title() != after.title()) edit.set_title(after.title());
        if (before.description() != after.description()) edit.set_description(after.description());
    }

    v1::ChangeSettings changed_settings(const v1::Node& before, const v1::Node& after) const {
        v1::ChangeSettings change;
        change.set_node(after.name());
        const v1::NodeType* type = find_type(types_, after.type());
        if (type == nullptr) return change;
        for (const v1::SettingInfo& setting : settings_of(*type, after.settings())) {
            // The daemon keeps the value that it has drawn for the node.
            if (setting.drawn() && !after.settings().fields().contains(setting.name())) continue;
            const google::protobuf::Value& value = value_of(after, setting);
            if (rtactl::describe(value) != rtactl::describe(value_of(before, setting)))
                (*change.mutable_settings()->mutable_fields())[setting.name()] = value;
        }
        return change;
    }

    static const google::protobuf::Value& value_of(const v1::Node& node, const v1::SettingInfo& setting) {
        const auto given = node.settings().fields().find(setting.name());
        return given == node.settings().fields().end() ? setting.default_() : given->second;
    }

    void set_parameters(Stage stage) {
        for (const auto& [name, node] : wanted_) {
            const v1::NodeType* type = find_type(types_, node->type());
            if (stays(name) && type != nullptr) set_parameters(*current_.at(name), *node, *type, stage);
        }
    }

    void set_parameters(const v1::Node& before, const v1::Node& after, const v1::NodeType& type, Stage stage) {
        const auto parameters_before = parameters_of(type, before.settings());
        for (const v1::ParameterInfo& parameter : parameters_of(type, after.settings())) {
            const float value = value_of(after, parameter);
            if (value == value_of(before, parameter)) continue;
            const bool is_valid_before = std::ranges::any_of(parameters_before, [&](const v1::ParameterInfo& one) {
                return one.name() == parameter.name() && one.minimum() <= value && value <= one.maximum();
            });
            if (is_valid_before != (stage == Stage::before_settings)) continue;
            v1::SetParameter& change = *edits_.emplace_back().mutable_set_parameter();
            change.set_node(after.name());
            change.set_parameter(parameter.name());
            change.set_value(value);
        }
    }

    static float value_of(const v1::Node& node, const v1::ParameterInfo& parameter) {
        const auto given = node.parameters().find(parameter.name());
        return given == node.parameters().end() ? parameter.default_() : given->second;
    }

    void connect() {
        for (const auto& [ends, gain_db] : wanted_connections_) {
            const auto before = current_connections_.find(ends);
            const bool is_there = before != current_connections_.end() && outlives_nodes(ends) && !is_remade(ends);
            if (is_there && before->second == gain_db) continue;
            const bool plain = gain_db == 0.0F && !is_there;
            edits_.push_back(connect_edit(ends.first, ends.second, plain ? std::nullopt : std::optional{gain_db}));
        }
    }

    const v1::NodeTypesResult& types_;
    const v1::Graph& current_graph_;
    const v1::Graph& wanted_graph_;
    Nodes current_;
    Nodes wanted_;
    Connections current_connections_;
    Connections wanted_connections_;
    std::map<std::string, v1::ChangeSettings, std::less<>> settings_changes_;  ///< of nodes that stay
    std::vector<v1::Edit> edits_;
};

SettingValue to_setting(const google::protobuf::Value& value) {
    if (value.kind_case() == google::protobuf::Value::kBoolValue) return value.bool_value();
    if (value.kind_case() == google::protobuf::Value::kNumberValue) return value.number_value();
    return value.string_value();
}

}  // namespace

std::vector<v1::Edit> edits_between(const v1::Graph& current, const v1::Graph& wanted,
                                    const v1::NodeTypesResult& types) {
    return Comparison{current, wanted, types}.edits();
}

GraphDocument to_document(const v1::Graph& graph) {
    GraphDocument document;
    document.latency_compensation = graph.latency_compensation();
    document.annotation = {.title = graph.title(), .description = graph.description()};
    for (const v1::Node& from : graph.nodes()) {
        GraphDocument::Node& node = document.nodes.emplace_back();
        node.name = from.name();
        node.type = from.type();
        node.annotation = {.title = from.title(), .description = from.description()};
        for (const auto& [name, value] : from.settings().fields())
            node.settings.insert_or_assign(name, to_setting(value));
        for (const auto& [name, value] : from.parameters()) node.parameters.insert_or_assign(name, value);
    }
    for (const v1::Connection& from : graph.connections()) {
        GraphDocument::Connection& connection = document.connections.emplace_back();
        connection.from = from.from();
        connection.to = from.to();
        if (from.has_gain_db()) connection.gain_db = from.gain_db();
    }
    return document;
}

}  // namespace rta::rtactl
