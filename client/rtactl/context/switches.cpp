// SPDX-License-Identifier: MIT
#include "rtactl/context/switches.h"

#include <algorithm>
#include <ostream>

#include "rta/type_table.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

Result<void> set_output_muted(Context& context, bool muted) {
    if (context.transaction()) {
        return usage_error(
            "the device output is not part of the graph, so it cannot be muted or unmuted in a transaction: "
            "commit or abort first");
    }
    if (context.edit_options.given()) {
        return usage_error(std::string{kEditOptionNames} +
                           " apply to edits of the graph, not to the device output; expected a NODE");
    }
    v1::Request request;
    request.mutable_mute_output()->set_muted(muted);
    const auto response = context.change(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (context.json()) return {};
    context.out() << "device output " << (muted ? "muted" : "unmuted");
    if (response->mute_output().has_frame()) context.out() << " from frame " << response->mute_output().frame();
    context.out() << (muted ? "; `rtactl unmute` unmutes it\n" : "\n");
    return {};
}

/// The daemon would only report that the parameter is unknown, which the command does not name.
Result<void> require_parameter(Context& context, const std::string& node, const Switch& which) {
    const auto graph = context.fetch_graph({node});
    if (!graph) return std::unexpected(graph.error());
    const GraphMirror::NodeInfo* known = (*graph)->find(node);
    const v1::NodeType* type = known == nullptr ? nullptr : context.find_type(known->type);
    if (type == nullptr) return {};
    const auto parameters = parameters_of(*type, known->settings);
    if (std::ranges::find(parameters, which.parameter, &v1::ParameterInfo::name) != parameters.end()) return {};
    std::string sentence = "node " + quoted(node) + " (" + type->name() + ") ";
    sentence.append(which.refusal).append(": it has no parameter ").append(which.parameter);
    sentence.append("; expected ").append(which.expected);
    return not_found(std::move(sentence));
}

}  // namespace

Result<void> set_switch(Context& context, const std::string& node, const Switch& which, bool on) {
    if (auto checked = require_parameter(context, node, which); !checked) return checked;
    v1::SetParameter change;
    change.set_node(node);
    change.set_parameter(which.parameter);
    change.set_value(on ? 1.0F : 0.0F);
    const std::string done = "set " + node + "." + which.parameter + " = " + (on ? "on" : "off");
    if (context.transaction()) {
        v1::Edit edit;
        *edit.mutable_set_parameter() = change;
        return context.edit({std::move(edit)}, done);
    }
    v1::SetParameters changes;
    *changes.add_changes() = change;
    return context.set_parameters(std::move(changes), {{done}});
}

Result<void> set_muted(Context& context, const Arguments& arguments, bool muted) {
    if (arguments.words.empty()) return set_output_muted(context, muted);
    return set_switch(context, arguments.words[0],
                      {.parameter = "mute",
                       .refusal = muted ? "cannot be muted" : "cannot be unmuted",
                       .expected = "a node with that parameter, such as a gain, or no NODE for the device output"},
                      muted);
}

Result<bool> parse_switch_word(std::string_view command, const Arguments& arguments, std::size_t index) {
    if (arguments.words.size() <= index) return true;
    if (const auto on = parse_switch(arguments.words[index])) return *on;
    return usage_error(std::string{command} + ": invalid value " + quoted(arguments.words[index]) +
                       ": expected on or off");
}

}  // namespace rta::rtactl
