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
        for (const auto& [name, setting] : from.settings) {
            Value& value = (*node.mutable_settings()->mutable_fields())[name];
            std::visit(Overloaded{[&](bool on) { value.set_bool_value(on); },
                                  [&](double number) { value.set_number_value(number); },
                                  [&](const std::string& text) { value.set_string_value(text); }},
                       setting);
        }
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

}  // namespace rta::api
