// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <ostream>
#include <set>
#include <utility>

#include "rtactl/context/context.h"
#include "rtactl/drawing/node_values.h"
#include "rtactl/language/assignment.h"
#include "rtactl/language/type_table.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl::commands {

namespace {

constexpr double kLongestRampMs = 600'000;  // SetParameter.ramp_ms

/// The assignments, resolved: parameters ramp; settings rebuild their node, with one edit for each node.
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

Result<std::vector<NodeAssignment>> parse_node_assignments(std::span<const std::string> words) {
    std::vector<NodeAssignment> assignments;
    std::set<std::pair<std::string, std::string>> names;
    for (const std::string& word : words) {
        auto assignment = parse_node_assignment(word);
        if (!assignment) return usage_error(std::move(assignment.error()));
        const auto& [node, value] = *assignment;
        if (!names.emplace(node, value.name).second)
            return usage_error(quoted(node + "." + value.name) + " is given twice; expected one value");
        assignments.push_back(std::move(*assignment));
    }
    return assignments;
}

Result<Changes> resolve_changes(const Context& context, const GraphMirror& graph,
                                std::span<const NodeAssignment> assignments, std::optional<float> ramp_ms) {
    Changes changes;
    for (const auto& [node, assignment] : assignments) {
        const GraphMirror::NodeInfo* known = graph.find(node);
        const v1::NodeType* type = known == nullptr ? nullptr : context.find_type(known->type);
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
    if (ramp_ms && changes.parameters.empty())
        return usage_error("--ramp applies to parameters only; a changed setting rebuilds its node, with a crossfade");
    return changes;
}

std::vector<v1::Edit> edits_of(const Changes& changes) {
    std::vector<v1::Edit> edits;
    // Settings first: they may add the parameters that are set together with them.
    for (const v1::ChangeSettings& change : changes.settings) *edits.emplace_back().mutable_change_settings() = change;
    for (const v1::SetParameter& change : changes.parameters) *edits.emplace_back().mutable_set_parameter() = change;
    return edits;
}

Result<std::optional<float>> parse_ramp(const Arguments& arguments) {
    const auto text = arguments.value("--ramp");
    if (!text) return std::nullopt;
    const auto ramp = parse_value(*text, ValueUnit::milliseconds);
    if (!ramp) return usage_error("--ramp: " + ramp.error());
    // The daemon would report the nearest float.
    if (*ramp < 0 || *ramp > kLongestRampMs)
        return usage_error("--ramp: " + quoted(*text) + " is out of range; expected 0 to 600000 ms");
    return static_cast<float>(*ramp);
}

Result<void> apply(Context& context, const Changes& changes) {
    if (context.transaction() || !changes.settings.empty()) return context.edit(edits_of(changes));
    v1::Request request;
    auto& list = *request.mutable_set_parameters()->mutable_changes();
    for (const v1::SetParameter& change : changes.parameters) *list.Add() = change;
    if (auto response = context.change(std::move(request)); !response)
        return std::unexpected(std::move(response.error()));
    return {};
}

Result<void> run_set(Context& context, const Arguments& arguments) {
    const auto assignments = parse_node_assignments(arguments.words);
    if (!assignments) return std::unexpected(assignments.error());
    const auto ramp_ms = parse_ramp(arguments);
    if (!ramp_ms) return std::unexpected(ramp_ms.error());
    std::vector<std::string> names;
    names.reserve(assignments->size());
    for (const NodeAssignment& assignment : *assignments) names.push_back(assignment.node);
    const auto graph = context.fetch_graph(std::move(names));
    if (!graph) return std::unexpected(graph.error());
    const auto changes = resolve_changes(context, **graph, *assignments, *ramp_ms);
    if (!changes) return std::unexpected(changes.error());
    if (auto applied = apply(context, *changes); !applied) return applied;
    if (context.transaction() || context.json()) return {};
    for (const std::string& line : changes->described) context.out() << line << '\n';
    return {};
}

constexpr std::array kSetOptions{
    Option{"--ramp", "MS", "Set the ramp time of the parameters; default 20 ms. 0 jumps, which may click."}};

}  // namespace

extern constinit const Command kSet = checked({
    .position = 270,
    .name = "set",
    .arguments = {Argument{"NODE.PARAM=VALUE", Expects::node_assignment, 1, kUnlimited}},
    .help = "Set parameters, with a ramp, or settings, which rebuild the node with a crossfade.",
    .details = "Several assignments are applied together or not at all. Values may have units: 250ms, -6dB, 2kHz, on.",
    .example = "rtactl set osc.frequency_hz=660 vol.gain_db=-20dB --ramp 500\n"
               "rtactl set osc.channels=2",
    .options = kSetOptions,
    .in_transaction = InTransaction::collected,
    .run = run_set,
});

}  // namespace rta::rtactl::commands
