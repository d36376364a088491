// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "rta/type_table.h"
#include "rtactl/context/context.h"
#include "rtactl/drawing/node_values.h"
#include "rtactl/language/assignment.h"
#include "rtactl/language/pattern.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl::commands {

namespace {

/// The assignments, resolved: parameters ramp; settings rebuild their node, with one edit for each node.
struct Changes {
    std::vector<v1::SetParameter> parameters;
    std::vector<v1::ChangeSettings> settings;
    std::vector<Done> done;
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
    for (const std::string& word : words) {
        auto assignment = parse_node_assignment(word);
        if (!assignment) return usage_error(std::move(assignment.error()));
        assignments.push_back(std::move(*assignment));
    }
    return assignments;
}

Result<void> check_unique(std::span<const NodeAssignment> assignments) {
    std::set<std::pair<std::string_view, std::string_view>> names;
    for (const auto& [node, value, op] : assignments) {
        if (!names.emplace(node, value.name).second)
            return usage_error(quoted(node + "." + value.name) + " is given twice; expected one value");
    }
    return {};
}

/// Returns the nodes to fetch: all if there is a pattern.
std::vector<std::string> named_nodes(std::span<const NodeAssignment> assignments) {
    std::vector<std::string> names;
    names.reserve(assignments.size());
    for (const NodeAssignment& assignment : assignments) {
        if (is_pattern(assignment.node)) return {};
        names.push_back(assignment.node);
    }
    return names;
}

/// "set vol.gain_db", whose result is in the response.
Done relative_done(const v1::SetParameter& change, std::string unit) {
    return {.text = "set " + change.node() + "." + change.parameter(), .unit = std::move(unit)};
}

Result<Changes> resolve_changes(const Context& context, const GraphMirror& graph,
                                std::span<const NodeAssignment> assignments, std::optional<float> ramp_ms) {
    Changes changes;
    for (const NodeAssignment& given : assignments) {
        const auto& [node, assignment, op] = given;
        const GraphMirror::NodeInfo* known = graph.find(node);
        const v1::NodeType* type = known == nullptr ? nullptr : context.find_type(known->type);
        if (is_relative(type, given)) {
            auto change = resolve_relative(type, given);
            if (!change) return usage_error(node + "." + change.error());
            if (ramp_ms) change->set_ramp_ms(*ramp_ms);
            changes.done.push_back(relative_done(*change, unit_symbol_of(type, assignment.name)));
            changes.parameters.push_back(std::move(*change));
            continue;
        }
        auto value = resolve(type, assignment);
        if (!value) return usage_error(node + "." + value.error());
        const std::string title = "set " + node + "." + assignment.name + " = ";
        if (const float* number = std::get_if<float>(&*value)) {
            v1::SetParameter& parameter = changes.parameters.emplace_back();
            parameter.set_node(node);
            parameter.set_parameter(assignment.name);
            parameter.set_value(*number);
            if (ramp_ms) parameter.set_ramp_ms(*ramp_ms);
            changes.done.push_back({title + format_value(*number, unit_symbol_of(type, assignment.name))});
        } else {
            const auto& setting = std::get<google::protobuf::Value>(*value);
            (*settings_of(changes, node).mutable_settings()->mutable_fields())[assignment.name] = setting;
            changes.done.push_back({title + describe(setting)});
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

Result<void> apply(Context& context, const Changes& changes) {
    if (context.transaction() || !changes.settings.empty()) return context.edit(edits_of(changes), changes.done);
    v1::SetParameters request;
    for (const v1::SetParameter& change : changes.parameters) *request.add_changes() = change;
    return context.set_parameters(std::move(request), changes.done);
}

Result<void> run_set(Context& context, const Arguments& arguments) {
    const auto assignments = parse_node_assignments(arguments.words);
    if (!assignments) return std::unexpected(assignments.error());
    if (auto unique = check_unique(*assignments); !unique) return unique;
    const auto ramp_ms = read_milliseconds(arguments, "--ramp");
    if (!ramp_ms) return std::unexpected(ramp_ms.error());
    const auto graph = context.fetch_graph(named_nodes(*assignments));
    if (!graph) return std::unexpected(graph.error());
    const auto expanded = expand_patterns(**graph, context.types(), *assignments);
    if (!expanded) return fail(Exit::refused, expanded.error());
    if (auto unique = check_unique(*expanded); !unique) return unique;
    const auto changes = resolve_changes(context, **graph, *expanded, *ramp_ms);
    if (!changes) return std::unexpected(changes.error());
    return apply(context, *changes);
}

constexpr auto kSetOptions = with_edit_options(std::array{
    Option{"--ramp", "MS", "Set the ramp time of the parameters; default 20 ms. 0 jumps, which may click."}});

}  // namespace

extern constinit const Command kSet = checked({
    .position = 270,
    .name = "set",
    .arguments = {Argument{"NODE.PARAM=VALUE", Expects::node_assignment, 1, kUnlimited}},
    .help = "Set parameters, with a ramp, or settings, which rebuild the node with a crossfade.",
    .details =
        "Several assignments are applied together or not at all. Values may have units: 250ms, -6dB, 2kHz, on.\n"
        "+= and -= change a parameter relative to its current value, and =toggle inverts an on/off parameter; when\n"
        "several clients do so at the same time, every change counts. A result out of range is refused. * in NODE or\n"
        "PARAM stands for any text: quote it.",
    .example = "rtactl set osc.frequency_hz=660 vol.gain_db=-20dB --ramp 500\n"
               "rtactl set vol.gain_db+=1dB vol.mute=toggle\n"
               "rtactl set '*.gain_db=-12dB'\n"
               "rtactl set osc.channels=2",
    .options = kSetOptions,
    .in_transaction = InTransaction::collected,
    .run = run_set,
});

}  // namespace rta::rtactl::commands
