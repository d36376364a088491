// SPDX-License-Identifier: MIT
#include "api/convert.h"

#include <string>
#include <utility>
#include <variant>

#include "api/status_wire.h"

namespace rta::api {
namespace {

using google::protobuf::Value;

/// Longer sentences are truncated.
constexpr std::size_t kLongestSentence = 8192;

template <class... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};

void to_wire(const Settings& settings, google::protobuf::Struct& message) {
    for (const auto& [name, setting] : settings) {
        Value& value = (*message.mutable_fields())[name];
        std::visit(Overloaded{[&](bool on) { value.set_bool_value(on); },
                              [&](double number) { value.set_number_value(number); },
                              [&](const std::string& text) { value.set_string_value(text); }},
                   setting);
    }
}

void to_wire(const AddNode& edit, v1::Node& node) {
    node.set_name(edit.name);
    node.set_type(edit.type);
    node.set_title(edit.annotation.title);
    node.set_description(edit.annotation.description);
    if (!edit.settings.empty()) to_wire(edit.settings, *node.mutable_settings());
    for (const auto& [name, value] : edit.parameters) (*node.mutable_parameters())[name] = value;
}

void to_wire(const SetParameter& edit, v1::SetParameter& message) {
    message.set_node(edit.node);
    message.set_parameter(edit.parameter);
    if (edit.ramp_ms) message.set_ramp_ms(*edit.ramp_ms);
    switch (edit.kind) {
        case SetParameter::Kind::set:
            return message.set_value(edit.value);
        case SetParameter::Kind::add:
            return message.set_add(edit.value);
        case SetParameter::Kind::toggle:
            return message.set_toggle(true);
    }
}

void to_wire(const Describe& edit, v1::Describe& message) {
    message.set_node(edit.node);
    if (edit.title) message.set_title(*edit.title);
    if (edit.description) message.set_description(*edit.description);
}

void to_wire(const ChangeSettings& edit, v1::ChangeSettings& message) {
    message.set_node(edit.node);
    to_wire(edit.settings, *message.mutable_settings());
    for (const std::string& name : edit.defaults) message.add_defaults(name);
}

void to_wire(const Connect& edit, v1::Connection& message) {
    message.set_from(edit.from);
    message.set_to(edit.to);
    if (edit.gain_db) message.set_gain_db(*edit.gain_db);
}

}  // namespace

v1::Code to_wire(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::invalid_argument:
            return v1::INVALID_ARGUMENT;
        case ErrorCode::deadline_exceeded:
            return v1::DEADLINE_EXCEEDED;
        case ErrorCode::not_found:
            return v1::NOT_FOUND;
        case ErrorCode::already_exists:
            return v1::ALREADY_EXISTS;
        case ErrorCode::permission_denied:
            return v1::PERMISSION_DENIED;
        case ErrorCode::resource_exhausted:
            return v1::RESOURCE_EXHAUSTED;
        case ErrorCode::failed_precondition:
            return v1::FAILED_PRECONDITION;
        case ErrorCode::aborted:
            return v1::ABORTED;
        case ErrorCode::unimplemented:
            return v1::UNIMPLEMENTED;
        case ErrorCode::internal:
            return v1::INTERNAL;
        case ErrorCode::unavailable:
            return v1::UNAVAILABLE;
        case ErrorCode::unauthenticated:
            return v1::UNAUTHENTICATED;
    }
    return v1::INTERNAL;
}

void to_wire(const Error& error, v1::Status& message) {
    message.set_code(to_wire(error.code));
    // Truncated first: a character that this breaks is replaced like any other invalid byte.
    message.set_message(valid_utf8(std::string_view{error.sentence}.substr(0, kLongestSentence)));
    if (error.edit_index) message.set_edit_index(*error.edit_index);
}

void to_wire(const GraphDocument& document, v1::Graph& message) {
    for (const GraphDocument::Node& from : document.nodes) {
        v1::Node& node = *message.add_nodes();
        node.set_name(from.name);
        node.set_type(from.type);
        node.set_title(from.annotation.title);
        node.set_description(from.annotation.description);
        if (!from.settings.empty()) to_wire(from.settings, *node.mutable_settings());
        for (const auto& [name, value] : from.parameters) (*node.mutable_parameters())[name] = value;
    }
    for (const GraphDocument::Connection& from : document.connections) {
        v1::Connection& connection = *message.add_connections();
        connection.set_from(from.from);
        connection.set_to(from.to);
        if (from.gain_db) connection.set_gain_db(*from.gain_db);
    }
    message.set_latency_compensation(document.latency_compensation);
    message.set_title(document.annotation.title);
    message.set_description(document.annotation.description);
}

void to_wire(const Edit& edit, v1::Edit& message) {
    std::visit(
        Overloaded{[&](const AddNode& add) { to_wire(add, *message.mutable_add_node()); },
                   [&](const RemoveNode& remove) { message.mutable_remove_node()->set_name(remove.name); },
                   [&](const RenameNode& rename) {
                       message.mutable_rename_node()->set_name(rename.name);
                       message.mutable_rename_node()->set_new_name(rename.new_name);
                   },
                   [&](const Connect& connect) { to_wire(connect, *message.mutable_connect()); },
                   [&](const Disconnect& disconnect) {
                       message.mutable_disconnect()->set_from(disconnect.from);
                       message.mutable_disconnect()->set_to(disconnect.to);
                   },
                   [&](const SetParameter& change) { to_wire(change, *message.mutable_set_parameter()); },
                   [&](const ChangeSettings& change) { to_wire(change, *message.mutable_change_settings()); },
                   [&](const SetLatencyCompensation& compensation) {
                       message.mutable_set_latency_compensation()->set_enabled(compensation.enabled);
                   },
                   [&](const Describe& describe) { to_wire(describe, *message.mutable_describe()); },
                   [&](const ReplaceGraph& replace) { to_wire(replace.document, *message.mutable_replace_graph()); }},
        edit);
}

}  // namespace rta::api
