// SPDX-License-Identifier: MIT
#include "wasm/edit_writer.h"

#include <variant>

namespace rta::wasm {
namespace {

void write_map(JsonWriter& out, std::string_view name, const auto& map) {
    if (map.empty()) return;
    out.key(name).object([&] {
        for (const auto& [key, value] : map) out.member(key, value);
    });
}

void write_text(JsonWriter& out, std::string_view name, std::string_view text) {
    if (!text.empty()) out.member(name, text);
}

void write_node(JsonWriter& out, const auto& node) {
    out.object([&] {
        out.member("name", node.name);
        out.member("type", node.type);
        write_map(out, "settings", node.settings);
        write_map(out, "parameters", node.parameters);
        write_text(out, "title", node.annotation.title);
        write_text(out, "description", node.annotation.description);
    });
}

void write_connection(JsonWriter& out, const auto& connection) {
    out.object([&] {
        out.member("from", connection.from);
        out.member("to", connection.to);
        if (connection.gain_db) out.member("gain_db", *connection.gain_db);
    });
}

/// Writes the kind of an edit, and its content.
struct Kinds {
    JsonWriter& out;

    void operator()(const AddNode& edit) const { write_node(out.key("add_node"), edit); }
    void operator()(const RemoveNode& edit) const {
        out.key("remove_node").object([&] { out.member("name", edit.name); });
    }
    void operator()(const RenameNode& edit) const {
        out.key("rename_node").object([&] {
            out.member("name", edit.name);
            out.member("new_name", edit.new_name);
        });
    }
    void operator()(const Connect& edit) const { write_connection(out.key("connect"), edit); }
    void operator()(const Disconnect& edit) const {
        out.key("disconnect").object([&] {
            out.member("from", edit.from);
            out.member("to", edit.to);
        });
    }
    void operator()(const SetParameter& edit) const { write_change(out.key("set_parameter"), edit); }
    void operator()(const ChangeSettings& edit) const {
        out.key("change_settings").object([&] {
            out.member("node", edit.node);
            out.key("settings").object([&] {
                for (const auto& [key, value] : edit.settings) out.member(key, value);
            });
            write_texts(out, "defaults", edit.defaults);
        });
    }
    void operator()(const SetLatencyCompensation& edit) const {
        out.key("set_latency_compensation").object([&] { out.member("enabled", edit.enabled); });
    }
    void operator()(const Describe& edit) const {
        out.key("describe").object([&] {
            out.member("node", edit.node);
            if (edit.title) out.member("title", *edit.title);
            if (edit.description) out.member("description", *edit.description);
        });
    }
    void operator()(const ReplaceGraph& edit) const { write_graph(out.key("replace_graph"), edit.document); }
};

}  // namespace

void write_change(JsonWriter& out, const SetParameter& change) {
    out.object([&] {
        out.member("node", change.node);
        out.member("parameter", change.parameter);
        if (change.ramp_ms) out.member("ramp_ms", *change.ramp_ms);
        switch (change.kind) {
            case SetParameter::Kind::set:
                return out.member("value", change.value);
            case SetParameter::Kind::add:
                return out.member("add", change.value);
            case SetParameter::Kind::toggle:
                return out.member("toggle", true);
        }
    });
}

void write_edits(JsonWriter& out, std::string_view name, std::span<const Edit> edits) {
    out.key(name).array([&] {
        for (const Edit& edit : edits) out.object([&] { std::visit(Kinds{out}, edit); });
    });
}

void write_graph(JsonWriter& out, const GraphDocument& document) {
    out.object([&] {
        out.key("nodes").array([&] {
            for (const GraphDocument::Node& node : document.nodes) write_node(out, node);
        });
        out.key("connections").array([&] {
            for (const GraphDocument::Connection& connection : document.connections) write_connection(out, connection);
        });
        if (document.latency_compensation) out.member("latency_compensation", true);
        write_text(out, "title", document.annotation.title);
        write_text(out, "description", document.annotation.description);
    });
}

}  // namespace rta::wasm
