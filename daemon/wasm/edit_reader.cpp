// SPDX-License-Identifier: MIT
#include "wasm/edit_reader.h"

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "graph/edit_checks.h"

namespace rta::wasm {
namespace {

/// Returns the edit, unless a member had another type.
template <class Type>
Expected<Edit> checked(const Fields& fields, Type edit) {
    if (auto good = fields.check(); !good) return std::unexpected(std::move(good.error()));
    return std::move(edit);
}

Expected<SettingValue> read_setting(const JsonValue& value, std::string_view name, std::string_view node) {
    if (const auto* const flag = std::get_if<bool>(&value.value)) return *flag;
    if (const auto* const text = std::get_if<std::string>(&value.value)) return *text;
    if (const auto* const number = std::get_if<double>(&value.value)) {
        if (std::isfinite(*number)) return *number;
        return std::unexpected(invalid_setting(name, node, "not a finite number"));
    }
    constexpr std::array<std::string_view, 6> kKinds{"null", "", "", "", "a list", "an object"};
    return std::unexpected(invalid_setting(name, node, kKinds[value.value.index()]));
}

Expected<Settings> read_settings(const JsonValue::Object& object, std::string_view node) {
    Settings settings;
    for (const auto& [name, value] : object) {
        auto setting = read_setting(value, name, node);
        if (!setting) return std::unexpected(std::move(setting.error()));
        settings.insert_or_assign(name, std::move(*setting));
    }
    return settings;
}

Expected<AddNode> read_node(const JsonValue& value) {
    Fields fields{&value, "a node"};
    AddNode node{.type = fields.text("type"), .name = fields.text("name"), .settings = {}, .parameters = {}};
    auto settings = read_settings(fields.object("settings"), node.name);
    if (!settings) return std::unexpected(std::move(settings.error()));
    node.settings = std::move(*settings);
    for (const auto& [name, parameter] : fields.object("parameters")) {
        const auto number = number_of(parameter);
        if (!number) {
            return fail(ErrorCode::invalid_argument,
                        "parameter \"" + name + "\" of node \"" + node.name + "\" is not a number");
        }
        node.parameters.insert_or_assign(name, nearest_float(*number));
    }
    node.annotation = {fields.text("title"), fields.text("description")};
    if (auto good = fields.check(); !good) return std::unexpected(std::move(good.error()));
    return node;
}

Expected<SetParameter> read_change(const JsonValue& value) {
    Fields fields{&value, "set_parameter"};
    ReceivedChange received{.node = fields.text("node"),
                            .parameter = fields.text("parameter"),
                            .value = fields.number32("value").value_or(0.0F),
                            .ramp_ms = fields.number32("ramp_ms"),
                            .add = fields.number32("add"),
                            .toggle = fields.optional_flag("toggle")};
    if (auto good = fields.check(); !good) return std::unexpected(std::move(good.error()));
    return to_change(std::move(received));
}

template <class Type>
Expected<Edit> as_edit(Expected<Type> read) {
    if (!read) return std::unexpected(std::move(read.error()));
    return Edit{std::move(*read)};
}

Expected<Edit> read_connect(const JsonValue& value) {
    Fields fields{&value, "connect"};
    Connect edit{fields.text("from"), fields.text("to"), fields.number32("gain_db")};
    return checked(fields, std::move(edit));
}

Expected<Edit> read_change_settings(const JsonValue& value) {
    Fields fields{&value, "change_settings"};
    ChangeSettings edit{.node = fields.text("node"), .settings = {}, .defaults = fields.texts("defaults")};
    auto settings = read_settings(fields.object("settings"), edit.node);
    if (!settings) return std::unexpected(std::move(settings.error()));
    edit.settings = std::move(*settings);
    return checked(fields, std::move(edit));
}

Expected<Edit> read_describe(const JsonValue& value) {
    Fields fields{&value, "describe"};
    Describe edit{fields.text("node"), fields.optional_text("title"), fields.optional_text("description")};
    if (auto good = check_describe(edit); !good) return std::unexpected(std::move(good.error()));
    return checked(fields, std::move(edit));
}

Expected<Edit> read_replace(const JsonValue& value) {
    auto document = read_graph(value);
    if (!document) return std::unexpected(std::move(document.error()));
    return ReplaceGraph{std::move(*document)};
}

using Reader = Expected<Edit> (*)(const JsonValue&);
constexpr std::array<std::pair<std::string_view, Reader>, 10> kReaders{{
    {"add_node", [](const JsonValue& value) { return as_edit(read_node(value)); }},
    {"remove_node",
     [](const JsonValue& value) {
         Fields fields{&value, "remove_node"};
         RemoveNode edit{fields.text("name")};
         return checked(fields, std::move(edit));
     }},
    {"rename_node",
     [](const JsonValue& value) {
         Fields fields{&value, "rename_node"};
         RenameNode edit{fields.text("name"), fields.text("new_name")};
         return checked(fields, std::move(edit));
     }},
    {"connect", read_connect},
    {"disconnect",
     [](const JsonValue& value) {
         Fields fields{&value, "disconnect"};
         Disconnect edit{fields.text("from"), fields.text("to")};
         return checked(fields, std::move(edit));
     }},
    {"set_parameter", [](const JsonValue& value) { return as_edit(read_change(value)); }},
    {"change_settings", read_change_settings},
    {"set_latency_compensation",
     [](const JsonValue& value) {
         Fields fields{&value, "set_latency_compensation"};
         const SetLatencyCompensation edit{fields.flag("enabled")};
         return checked(fields, edit);
     }},
    {"describe", read_describe},
    {"replace_graph", read_replace},
}};

Expected<Edit> read_edit(const JsonValue& value) {
    for (const auto& [name, read] : kReaders) {
        if (const JsonValue* const content = value.find(name)) return read(*content);
    }
    return std::unexpected(unknown_edit());
}

}  // namespace

Expected<std::vector<Edit>> read_edits(const JsonValue::Array& list) {
    std::vector<Edit> edits;  // grows with those that are valid: an element of the list may have 3 bytes
    for (const JsonValue& value : list) {
        auto edit = read_edit(value);
        if (edit) {
            if (auto alone = check_alone(*edit, list.size()); !alone) edit = std::unexpected(std::move(alone.error()));
        }
        if (!edit) return std::unexpected(at_edit(std::move(edit.error()), edits.size()));
        edits.push_back(std::move(*edit));
    }
    return edits;
}

Expected<std::vector<SetParameter>> read_changes(const JsonValue::Array& list) {
    std::vector<SetParameter> changes;
    changes.reserve(list.size());
    for (const JsonValue& value : list) {
        auto change = read_change(value);
        if (!change) return std::unexpected(at_edit(std::move(change.error()), changes.size()));
        changes.push_back(std::move(*change));
    }
    return changes;
}

Expected<GraphDocument> read_graph(const JsonValue& graph) {
    Fields fields{&graph, "a graph"};
    GraphDocument document;
    for (const JsonValue& value : fields.array("nodes")) {
        auto node = read_node(value);
        if (!node) return std::unexpected(std::move(node.error()));
        document.nodes.push_back({std::move(node->name),
                                  std::move(node->type),
                                  std::move(node->settings),
                                  std::move(node->parameters),
                                  {},
                                  std::move(node->annotation)});
    }
    for (const JsonValue& value : fields.array("connections")) {
        Fields connection{&value, "a connection"};
        document.connections.push_back(
            {connection.text("from"), connection.text("to"), connection.number32("gain_db"), {}});
        if (auto good = connection.check(); !good) return std::unexpected(std::move(good.error()));
    }
    document.latency_compensation = fields.flag("latency_compensation");
    document.annotation = {fields.text("title"), fields.text("description")};
    if (auto good = fields.check(); !good) return std::unexpected(std::move(good.error()));
    return document;
}

}  // namespace rta::wasm
