// SPDX-License-Identifier: MIT
#include <algorithm>
#include <ostream>
#include <set>

#include "rtactl/context/context.h"
#include "rtactl/drawing/print.h"
#include "rtactl/language/assignment.h"
#include "rtactl/language/command.h"
#include "rtactl/language/edits.h"
#include "rtactl/language/type_table.h"
#include "rtactl/language/values.h"
#include "text/names.h"

namespace rta::rtactl {

namespace {

// ---- play ----------------------------------------------------------------------------------------------------------

/// `sine`, `sine_2`, ...: the first that is not taken.
std::string free_name(const std::string& type, const std::set<std::string>& taken) {
    std::string name = type;
    for (std::size_t number = 2; taken.contains(name); ++number) name = type + "_" + std::to_string(number);
    return name;
}

bool is_sink(const v1::NodeType* type) {
    return type != nullptr && type->outputs_size() == 0 && type->inputs_size() > 0;
}

v1::Node device_output(std::uint32_t channels) {
    v1::Node node;
    node.set_type("output");
    google::protobuf::Value width;
    width.set_number_value(std::max(channels, 1U));
    (*node.mutable_settings()->mutable_fields())["channels"] = width;
    return node;
}

/// The nodes of the chain, with their values but without names.
Result<std::vector<v1::Node>> build_chain(const Session& session, std::span<const ChainLink> links,
                                          std::uint32_t device_channels) {
    std::vector<v1::Node> nodes;
    for (const ChainLink& link : links) {
        v1::Node& node = nodes.emplace_back();
        node.set_type(link.type);
        if (auto assigned = assign(session.find_type(link.type), link.assignments, node); !assigned) {
            return usage_error(link.type + ": " + assigned.error());
        }
    }
    if (!is_sink(session.find_type(links.back().type))) nodes.push_back(device_output(device_channels));
    return nodes;
}

v1::Graph chain_graph(std::span<const v1::Node> nodes) {
    v1::Graph graph;
    for (const v1::Node& node : nodes) *graph.add_nodes() = node;
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        v1::Connection& connection = *graph.add_connections();
        connection.set_from(nodes[i - 1].name());
        connection.set_to(nodes[i].name());
    }
    return graph;
}

std::vector<v1::Edit> chain_edits(std::span<const v1::Node> nodes) {
    std::vector<v1::Edit> edits;
    for (const v1::Node& node : nodes) *edits.emplace_back().mutable_add_node() = node;
    for (std::size_t i = 1; i < nodes.size(); ++i) edits.push_back(connect_edit(nodes[i - 1].name(), nodes[i].name()));
    return edits;
}

std::string chain_text(std::span<const v1::Node> nodes) {
    std::string text;
    for (const v1::Node& node : nodes) text.append(text.empty() ? "" : " -> ").append(node.name());
    return text;
}

// ---- set -----------------------------------------------------------------------------------------------------------

/// What `set` came to: parameters ramp, settings build their node anew, one edit a node.
struct Changes {
    std::vector<v1::SetParameter> parameters;
    std::vector<v1::ChangeSettings> settings;
    std::vector<std::string> described;  ///< "osc.frequency_hz = 440 Hz"
};

std::string unit_symbol_of(const v1::NodeType* type, std::string_view parameter) {
    const auto found = type == nullptr ? std::nullopt : find_parameter(*type, parameter);
    return found ? found->unit() : "";
}

v1::ChangeSettings& settings_of(Changes& changes, const std::string& node) {
    const auto found = std::ranges::find(changes.settings, node, &v1::ChangeSettings::node);
    if (found != changes.settings.end()) return *found;
    changes.settings.emplace_back().set_node(node);
    return changes.settings.back();
}

Result<Changes> resolve_changes(const Session& session, const KnownGraph& graph,
                                std::span<const NodeAssignment> assignments, std::optional<float> ramp_ms) {
    Changes changes;
    for (const auto& [node, assignment] : assignments) {
        const KnownGraph::NodeInfo* known = graph.find(node);
        const v1::NodeType* type = known == nullptr ? nullptr : session.find_type(known->type);
        auto value = resolve(type, assignment);
        if (!value) return usage_error(node + "." + value.error());
        const std::string title = node + "." + assignment.name + " = ";
        if (const float* number = std::get_if<float>(&*value)) {
            v1::SetParameter& parameter = changes.parameters.emplace_back();
            parameter.set_node(node);
            parameter.set_parameter(assignment.name);
            parameter.set_value(*number);
            if (ramp_ms) parameter.set_ramp_ms(*ramp_ms);
            changes.described.push_back(title + format_value(*number, unit_symbol_of(type, assignment.name)));
        } else {
            const auto& setting = std::get<google::protobuf::Value>(*value);
            (*settings_of(changes, node).mutable_settings()->mutable_fields())[assignment.name] = setting;
            changes.described.push_back(title + describe(setting));
        }
    }
    if (ramp_ms && changes.parameters.empty()) {
        return usage_error("--ramp is for parameters; a setting builds its node anew, which is cross-faded");
    }
    return changes;
}

std::vector<v1::Edit> edits_of(const Changes& changes) {
    std::vector<v1::Edit> edits;
    // Settings first: they may bring the very parameters that are set with them.
    for (const v1::ChangeSettings& change : changes.settings) *edits.emplace_back().mutable_change_settings() = change;
    for (const v1::SetParameter& change : changes.parameters) *edits.emplace_back().mutable_set_parameter() = change;
    return edits;
}

Result<std::optional<float>> parse_ramp(const Arguments& arguments) {
    const auto text = arguments.value("--ramp");
    if (!text) return std::nullopt;
    const auto ramp = parse_value(*text, ValueUnit::milliseconds);
    if (!ramp) return usage_error("--ramp: " + ramp.error());
    return static_cast<float>(*ramp);
}

}  // namespace

Result<void> run_play(Session& session, const Arguments& arguments) {
    const bool keep = arguments.has("--add");
    if (session.transaction() && !keep) {
        return usage_error("play replaces the whole graph, so it cannot be part of a transaction; `play --add` can");
    }
    std::vector<ChainLink> links;
    for (const std::string& word : arguments.words) {
        auto link = parse_chain_link(word);
        if (!link) return usage_error(std::move(link.error()));
        links.push_back(std::move(*link));
    }
    v1::Request status_request;
    status_request.mutable_get_status();
    const auto status = session.ask(std::move(status_request));
    if (!status) return std::unexpected(status.error());
    if (auto learned = session.learn_types(); !learned) return learned;
    auto nodes = build_chain(session, links, status->get_status().device().channels_out());
    if (!nodes) return std::unexpected(std::move(nodes.error()));

    std::set<std::string> taken;
    if (keep) {
        const auto present = session.learn_graph();
        if (!present) return std::unexpected(present.error());
        for (const auto& [name, node] : (*present)->nodes()) taken.insert(name);
    }
    for (v1::Node& node : *nodes) {
        node.set_name(free_name(node.type(), taken));
        taken.insert(node.name());
    }
    if (keep) return session.edit(chain_edits(*nodes), chain_text(*nodes));

    v1::Request request;
    *request.mutable_apply_transaction()->mutable_graph() = chain_graph(*nodes);
    const auto response = session.perform(std::move(request));
    if (!response) return std::unexpected(response.error());
    session.print_revision(response->apply_transaction(), chain_text(*nodes));
    return {};
}

Result<void> run_add(Session& session, const Arguments& arguments) {
    const auto assignments = parse_assignments(std::span{arguments.words}.subspan(2));
    if (!assignments) return usage_error(assignments.error());
    if (auto learned = session.learn_types(); !learned) return learned;
    v1::Edit edit;
    v1::Node& node = *edit.mutable_add_node();
    node.set_type(arguments.words[0]);
    node.set_name(arguments.words[1]);
    if (auto assigned = assign(session.find_type(node.type()), *assignments, node); !assigned) {
        return usage_error(node.name() + ": " + assigned.error());
    }
    return session.edit({std::move(edit)});
}

Result<void> run_remove(Session& session, const Arguments& arguments) {
    std::vector<v1::Edit> edits;
    for (const std::string& name : arguments.words) edits.emplace_back().mutable_remove_node()->set_name(name);
    return session.edit(std::move(edits));
}

Result<void> run_rename(Session& session, const Arguments& arguments) {
    v1::Edit edit;
    edit.mutable_rename_node()->set_name(arguments.words[0]);
    edit.mutable_rename_node()->set_new_name(arguments.words[1]);
    return session.edit({std::move(edit)});
}

Result<void> run_connect(Session& session, const Arguments& arguments) {
    v1::Edit edit = connect_edit(arguments.words[0], arguments.words[1]);
    if (arguments.words.size() > 2) {
        const auto gain = parse_assignment(arguments.words[2]);
        if (!gain || gain->name != "gain_db") {
            return usage_error(quoted(arguments.words[2]) +
                               " is not gain_db=v, which is all that a connection has, such as gain_db=-6");
        }
        const auto value = parse_value(gain->value, ValueUnit::decibel);
        if (!value) return usage_error("gain_db cannot be set: " + value.error());
        edit.mutable_connect()->set_gain_db(static_cast<float>(*value));
    }
    return session.edit({std::move(edit)});
}

Result<void> run_disconnect(Session& session, const Arguments& arguments) {
    return session.edit({disconnect_edit(arguments.words[0], arguments.words[1])});
}

Result<void> run_set(Session& session, const Arguments& arguments) {
    std::vector<NodeAssignment> assignments;
    for (const std::string& word : arguments.words) {
        auto assignment = parse_node_assignment(word);
        if (!assignment) return usage_error(std::move(assignment.error()));
        assignments.push_back(std::move(*assignment));
    }
    const auto ramp_ms = parse_ramp(arguments);
    if (!ramp_ms) return std::unexpected(ramp_ms.error());
    std::vector<std::string> names;
    names.reserve(assignments.size());
    for (const NodeAssignment& assignment : assignments) names.push_back(assignment.node);
    const auto graph = session.learn_graph(std::move(names));
    if (!graph) return std::unexpected(graph.error());
    const auto changes = resolve_changes(session, **graph, assignments, *ramp_ms);
    if (!changes) return std::unexpected(changes.error());

    const bool in_transaction = session.transaction().has_value();
    if (in_transaction || !changes->settings.empty()) {
        auto edited = session.edit(edits_of(*changes));
        if (!edited || in_transaction) return edited;
    } else {
        v1::Request request;
        auto& list = *request.mutable_set_parameters()->mutable_changes();
        for (const v1::SetParameter& change : changes->parameters) *list.Add() = change;
        if (auto response = session.perform(std::move(request)); !response)
            return std::unexpected(std::move(response.error()));
    }
    if (session.json()) return {};
    for (const std::string& line : changes->described) session.out() << line << '\n';
    return {};
}

}  // namespace rta::rtactl
