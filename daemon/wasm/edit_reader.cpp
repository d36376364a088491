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

/// Readers fill an edit, of which `fields` are the members, and do not check those.
Expected<void> read_settings(Fields& fields, std::string_view node, Settings& settings) {
    for (const auto& [name, value] : fields.object("settings")) {
        auto setting = read_setting(value, name, node);
        if (!setting) return std::unexpected(std::move(setting.error()));
        settings.insert_or_assign(name, std::move(*setting));
    }
    return {};
}

/// For AddNode, and for the nodes of documents.
Expected<void> read_node(Fields& fields, auto& node) {
    node.type = fields.text("type");
    node.name = fields.text("name");
    if (auto good = read_settings(fields, node.name, node.settings); !good) return good;
    for (const auto& [name, parameter] : fields.object("parameters")) {
        const auto number = number_of(parameter);
        if (!number) {
            return fail(ErrorCode::invalid_argument,
                        "parameter \"" + name + "\" of node \"" + node.name + "\" is not a number");
        }
        node.parameters.insert_or_assign(name, nearest_float(*number));
    }
    node.annotation = {fields.text("title"), fields.text("description")};
    return {};
}

Expected<SetParameter> read_change(Fields& fields) {
    ReceivedChange received{.node = fields.text("node"),
                            .parameter = fields.text("parameter"),
                            .value = fields.number32("value").value_or(0.0F),
                            .ramp_ms = fields.number32("ramp_ms"),
                            .add = fields.number32("add"),
                            .toggle = fields.optional_flag("toggle")};
    if (auto good = fields.check(); !good) return std::unexpected(std::move(good.error()));
    return to_change(std::move(received));
}

Expected<void> read_add_node(Fields& fields, Edit& edit) { return read_node(fields, edit.emplace<AddNode>()); }

Expected<void> read_remove_node(Fields& fields, Edit& edit) {
    edit.emplace<RemoveNode>().name = fields.text("name");
    return {};
}

Expected<void> read_rename_node(Fields& fields, Edit& edit) {
    auto& rename = edit.emplace<RenameNode>();
    rename.name = fields.text("name");
    rename.new_name = fields.text("new_name");
    return {};
}

Expected<void> read_connect(Fields& fields, Edit& edit) {
    auto& connect = edit.emplace<Connect>();
    connect.from = fields.text("from");
    connect.to = fields.text("to");
    connect.gain_db = fields.number32("gain_db");
    return {};
}

Expected<void> read_disconnect(Fields& fields, Edit& edit) {
    auto& disconnect = edit.emplace<Disconnect>();
    disconnect.from = fields.text("from");
    disconnect.to = fields.text("to");
    return {};
}

Expected<void> read_set_parameter(Fields& fields, Edit& edit) {
    auto change = read_change(fields);
    if (!change) return std::unexpected(std::move(change.error()));
    edit.emplace<SetParameter>(std::move(*change));
    return {};
}

Expected<void> read_change_settings(Fields& fields, Edit& edit) {
    auto& change = edit.emplace<ChangeSettings>();
    change.node = fields.text("node");
    change.defaults = fields.texts("defaults");
    return read_settings(fields, change.node, change.settings);
}

Expected<void> read_latency_compensation(Fields& fields, Edit& edit) {
    edit.emplace<SetLatencyCompensation>().enabled = fields.flag("enabled");
    return {};
}

Expected<void> read_describe(Fields& fields, Edit& edit) {
    auto& describe = edit.emplace<Describe>();
    describe.node = fields.text("node");
    describe.title = fields.optional_text("title");
    describe.description = fields.optional_text("description");
    return check_describe(describe);
}

struct Kind {
    std::string_view name;
    Expected<void> (*read)(Fields&, Edit&);
};
constexpr std::array<Kind, 9> kKinds{{{"add_node", read_add_node},
                                      {"remove_node", read_remove_node},
                                      {"rename_node", read_rename_node},
                                      {"connect", read_connect},
                                      {"disconnect", read_disconnect},
                                      {"set_parameter", read_set_parameter},
                                      {"change_settings", read_change_settings},
                                      {"set_latency_compensation", read_latency_compensation},
                                      {"describe", read_describe}}};

Expected<void> read_edit(const JsonValue& value, Edit& edit) {
    if (const JsonValue* const graph = value.find("replace_graph")) {
        auto document = read_graph(*graph);
        if (!document) return std::unexpected(std::move(document.error()));
        edit.emplace<ReplaceGraph>(std::move(*document));
        return {};
    }
    for (const Kind& kind : kKinds) {
        const JsonValue* const content = value.find(kind.name);
        if (content == nullptr) continue;
        Fields fields{content, kind.name};
        auto read = kind.read(fields, edit);
        return read ? fields.check() : read;
    }
    return std::unexpected(unknown_edit());
}

}  // namespace

Expected<std::vector<Edit>> read_edits(const JsonValue::Array& list) {
    std::vector<Edit> edits;  // grows with those that are valid: an element of the list may have 3 bytes
    for (const JsonValue& value : list) {
        Edit& edit = edits.emplace_back();
        auto good = read_edit(value, edit);
        if (good) good = check_alone(edit, list.size());
        if (!good) return std::unexpected(at_edit(std::move(good.error()), edits.size() - 1));
    }
    return edits;
}

Expected<std::vector<SetParameter>> read_changes(const JsonValue::Array& list) {
    std::vector<SetParameter> changes;
    changes.reserve(list.size());
    for (const JsonValue& value : list) {
        Fields fields{&value, "set_parameter"};
        auto change = read_change(fields);
        if (!change) return std::unexpected(at_edit(std::move(change.error()), changes.size()));
        changes.push_back(std::move(*change));
    }
    return changes;
}

Expected<GraphDocument> read_graph(const JsonValue& graph) {
    Fields fields{&graph, "a graph"};
    GraphDocument document;
    for (const JsonValue& value : fields.array("nodes")) {
        Fields members{&value, "a node"};
        auto good = read_node(members, document.nodes.emplace_back());
        if (good) good = members.check();
        if (!good) return std::unexpected(std::move(good.error()));
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
