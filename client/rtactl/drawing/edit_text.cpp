// SPDX-License-Identifier: MIT
#include "rtactl/drawing/edit_text.h"

#include <map>

#include "rtactl/drawing/node_values.h"
#include "rtactl/drawing/wording.h"
#include "text/format_number.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

std::string assigned(std::string_view name, std::string_view value) {
    return shell_word(std::string{name} + "=" + std::string{value});
}

/// Settings, then parameters, both sorted by name: a protobuf map is unordered.
std::string describe_values(const v1::Node& node) {
    std::map<std::string, std::string> settings;
    for (const auto& [name, value] : node.settings().fields()) settings.emplace(name, describe(value));
    std::map<std::string, std::string> parameters;
    for (const auto& [name, value] : node.parameters()) parameters.emplace(name, format_number(value));
    std::string text;
    for (const auto& [name, value] : settings) text.append(" ").append(assigned(name, value));
    for (const auto& [name, value] : parameters) text.append(" ").append(assigned(name, value));
    return text;
}

std::string describe_settings(const v1::ChangeSettings& change) {
    std::map<std::string, std::string> settings;
    for (const auto& [name, value] : change.settings().fields()) settings.emplace(name, describe(value));
    std::string text = "set";
    for (const auto& [name, value] : settings) text.append(" ").append(assigned(change.node() + "." + name, value));
    if (change.defaults().empty()) return text;
    // rtactl has no command for the rest.
    text = settings.empty() ? "#" : text + "  #";
    for (const std::string& name : change.defaults()) text.append(" ").append(change.node() + "." + name);
    return text + (change.defaults_size() == 1 ? ": its default again" : ": their defaults again");
}

/// Returns a comment: rtactl has no command for this edit.
std::string describe_annotation(const v1::Describe& edit) {
    const std::string subject = " of " + (edit.node().empty() ? "the graph" : edit.node()) + ": ";
    std::string text = "#";
    if (edit.has_title()) text += " title" + subject + quoted(edit.title());
    if (edit.has_title() && edit.has_description()) text += ";";
    if (edit.has_description()) text += " description" + subject + quoted(edit.description());
    return text;
}

}  // namespace

std::string describe(const v1::SetParameter& change) {
    const std::string name = change.node() + "." + change.parameter();
    std::string text = "set ";
    switch (change.relative_case()) {
        case v1::SetParameter::kAdd:
            text += change.add() < 0 ? assigned(name + "-", format_number(-change.add()))
                                     : assigned(name + "+", format_number(change.add()));
            break;
        case v1::SetParameter::kToggle:
            text += assigned(name, "toggle");
            break;
        case v1::SetParameter::RELATIVE_NOT_SET:
            text += assigned(name, format_number(change.value()));
            break;
    }
    if (change.has_ramp_ms()) text += " --ramp " + format_number(change.ramp_ms());
    return text;
}

std::string describe(const v1::Edit& edit) {
    switch (edit.edit_case()) {
        case v1::Edit::kAddNode:
            return "add " + shell_word(edit.add_node().type()) + " " + shell_word(edit.add_node().name()) +
                   describe_values(edit.add_node());
        case v1::Edit::kRemoveNode:
            return "remove " + shell_word(edit.remove_node().name());
        case v1::Edit::kSetLatencyCompensation:
            return std::string{"graph compensate "} + (edit.set_latency_compensation().enabled() ? "on" : "off");
        case v1::Edit::kDescribe:
            return describe_annotation(edit.describe());
        case v1::Edit::kRenameNode:
            return "rename " + shell_word(edit.rename_node().name()) + " " + shell_word(edit.rename_node().new_name());
        case v1::Edit::kConnect: {
            std::string text = "connect " + shell_word(edit.connect().from()) + " " + shell_word(edit.connect().to());
            if (edit.connect().has_gain_db()) text += " gain_db=" + format_number(edit.connect().gain_db());
            return text;
        }
        case v1::Edit::kDisconnect:
            return "disconnect " + shell_word(edit.disconnect().from()) + " " + shell_word(edit.disconnect().to());
        case v1::Edit::kSetParameter:
            return describe(edit.set_parameter());
        case v1::Edit::kChangeSettings:
            return describe_settings(edit.change_settings());
        case v1::Edit::kReplaceGraph:
            return "graph of " + counted(static_cast<std::uint64_t>(edit.replace_graph().nodes_size()), "node") +
                   " and " + counted(static_cast<std::uint64_t>(edit.replace_graph().connections_size()), "connection");
        case v1::Edit::EDIT_NOT_SET:
            break;
    }
    return "an edit unknown to this version of rtactl";
}

}  // namespace rta::rtactl
