// SPDX-License-Identifier: MIT
#include "api/convert.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <string>
#include <utility>
#include <variant>

#include "api/status_wire.h"
#include "frame/frame_codec.h"
#include "graph/layout.h"
#include "graph/parameter_spec.h"
#include "text/names.h"

namespace rta::api {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

/// What an event about a transaction holds beside its edits: numbers, and the name of a client.
constexpr std::size_t kEventOverheadBytes = 1024;
/// The longest sentence that goes out whole.
constexpr std::size_t kLongestSentence = 8192;

template <class... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};

std::unexpected<Error> invalid(std::string sentence) { return fail(ErrorCode::invalid_argument, std::move(sentence)); }

std::unexpected<Error> too_many(std::string_view what, int count) {
    return invalid(std::string{what} + " holds " + std::to_string(count) + " of them; the most is " +
                   std::to_string(kMaximumItems));
}

Expected<SettingValue> to_setting(const Value& value, std::string_view name, std::string_view node) {
    const auto refuse = [&](std::string_view kind) {
        return invalid("setting " + quoted(name) + " of node " + quoted(node) + " is " + std::string{kind} +
                       "; a setting is a number, a text, true or false");
    };
    switch (value.kind_case()) {
        case Value::kNumberValue:
            if (!std::isfinite(value.number_value())) return refuse("no finite number");
            return value.number_value();
        case Value::kStringValue:
            return value.string_value();
        case Value::kBoolValue:
            return value.bool_value();
        case Value::kNullValue:
            return refuse("null");
        case Value::kListValue:
            return refuse("a list");
        case Value::kStructValue:
            return refuse("an object");
        case Value::KIND_NOT_SET:
            return refuse("without a value");
    }
    return refuse("of an unknown kind");
}

SetParameter to_change(const v1::SetParameter& message) {
    SetParameter change{message.node(), message.parameter(), message.value(), {}};
    if (message.has_ramp_ms()) change.ramp_ms = message.ramp_ms();
    return change;
}

Expected<Edit> to_add_node(const v1::Node& message) {
    auto settings = to_settings(message.settings(), message.name());
    if (!settings) return std::unexpected(std::move(settings.error()));
    AddNode edit{message.type(), message.name(), std::move(*settings), {}};
    for (const auto& [name, value] : message.parameters()) edit.parameters.emplace(name, value);
    return edit;
}

Expected<Edit> to_change_settings(const v1::ChangeSettings& message) {
    auto settings = to_settings(message.settings(), message.node());
    if (!settings) return std::unexpected(std::move(settings.error()));
    return ChangeSettings{message.node(), std::move(*settings)};
}

/// Subscribers are told of every change in one message.
Expected<void> check_size(std::size_t bytes) {
    constexpr std::size_t kMost = kMaximumFrameBytes - kEventOverheadBytes;
    if (bytes <= kMost) return {};
    return invalid("the change takes " + std::to_string(bytes) +
                   " bytes as a message, which must hold the event about it " + "as well; the most is " +
                   std::to_string(kMost));
}

Expected<TransactionContent> checked(TransactionContent content) {
    if (auto fits = check_size(content.edits.ByteSizeLong()); !fits) return std::unexpected(std::move(fits.error()));
    return content;
}

Expected<TransactionContent> from_edits(v1::EditList&& list) {
    if (list.edits_size() > kMaximumItems) return too_many("the list of edits", list.edits_size());
    TransactionContent content;
    content.edits = std::move(list);
    content.transaction.edits.reserve(static_cast<std::size_t>(content.edits.edits_size()));
    std::uint32_t index = 0;
    for (const v1::Edit& message : content.edits.edits()) {
        auto edit = to_edit(message);
        if (edit && std::holds_alternative<ReplaceGraph>(*edit) && content.edits.edits_size() > 1) {
            edit = invalid("replace_graph must be the only edit of its transaction");
        }
        if (!edit) {
            edit.error().edit_index = index;
            return std::unexpected(std::move(edit.error()));
        }
        content.transaction.edits.push_back(std::move(*edit));
        ++index;
    }
    return checked(std::move(content));
}

TransactionContent replacement(GraphDocument document) {
    TransactionContent content;
    content.whole_graph = true;
    content.transaction.edits.emplace_back(ReplaceGraph{std::move(document)});
    return content;
}

Expected<TransactionContent> from_graph(v1::Graph&& graph) {
    auto document = to_document(graph);
    if (!document) return std::unexpected(std::move(document.error()));
    TransactionContent content = replacement(std::move(*document));
    *content.edits.add_edits()->mutable_replace_graph() = std::move(graph);
    return checked(std::move(content));
}

Expected<TransactionContent> from_document(std::string_view text) {
    auto document = read_document(text);
    if (!document) return std::unexpected(std::move(document.error()));
    v1::Graph graph;
    to_wire(*document, graph);
    TransactionContent content = replacement(std::move(*document));
    *content.edits.add_edits()->mutable_replace_graph() = std::move(graph);
    return checked(std::move(content));
}

/// ApplyTransaction and CheckGraph have the same content.
template <class Message>
Expected<TransactionContent> take(Message& message) {
    switch (message.content_case()) {
        case Message::kEdits:
            return from_edits(std::move(*message.mutable_edits()));
        case Message::kGraph:
            return from_graph(std::move(*message.mutable_graph()));
        case Message::kDocument:
            return from_document(message.document());
        case Message::CONTENT_NOT_SET:
            break;
    }
    return invalid("the transaction is empty; it must hold edits, a graph, or the text of a document");
}

std::string_view kind_name(SettingSpec::Kind kind) {
    switch (kind) {
        case SettingSpec::Kind::integer:
            return "integer";
        case SettingSpec::Kind::number:
            return "number";
        case SettingSpec::Kind::on_off:
            return "on_off";
        case SettingSpec::Kind::choice:
            return "choice";
        case SettingSpec::Kind::text:
            return "text";
    }
    return "";
}

void set_string(std::string& field, std::string_view text) { field.assign(text); }

void setting_to_wire(const SettingSpec& spec, v1::SettingInfo& message) {
    set_string(*message.mutable_name(), spec.name);
    set_string(*message.mutable_kind(), kind_name(spec.kind));
    set_string(*message.mutable_help(), spec.help);
    switch (spec.kind) {
        case SettingSpec::Kind::integer:
        case SettingSpec::Kind::number:
            message.set_minimum(spec.minimum);
            message.set_maximum(spec.maximum);
            message.mutable_default_()->set_number_value(spec.default_number);
            break;
        case SettingSpec::Kind::on_off:
            message.mutable_default_()->set_bool_value(spec.default_number != 0.0);
            break;
        case SettingSpec::Kind::choice:
        case SettingSpec::Kind::text:
            set_string(*message.mutable_default_()->mutable_string_value(), spec.default_text);
            break;
    }
    for (const std::string_view choice : spec.choices) set_string(*message.add_choices(), choice);
}

void repeat_to_wire(const Repeat& repeat, v1::RepeatInfo& message) {
    set_string(*message.mutable_setting(), repeat.setting);
    message.set_less(repeat.less);
}

void parameter_to_wire(const ParameterSpec& spec, v1::ParameterInfo& message) {
    set_string(*message.mutable_name(), spec.name);
    set_string(*message.mutable_unit(), unit_symbol(spec.unit));
    message.set_minimum(spec.minimum);
    message.set_maximum(spec.maximum);
    message.set_default_(spec.default_value);
    set_string(*message.mutable_ramp_law(), ramp_law_name(spec.law));
    set_string(*message.mutable_help(), spec.help);
    if (spec.repeat.given()) repeat_to_wire(spec.repeat, *message.add_repeated_by());
    if (spec.repeat_inner.given()) repeat_to_wire(spec.repeat_inner, *message.add_repeated_by());
    if (spec.default_factor != 1.0F) message.set_default_factor(spec.default_factor);
    set_string(*message.mutable_maximum_setting(), spec.maximum_setting);
}

void port_to_wire(const PortSpec& spec, v1::PortInfo& message) {
    set_string(*message.mutable_name(), spec.name);
    message.set_width(spec.width);
    if (spec.repeat.given()) repeat_to_wire(spec.repeat, *message.mutable_repeated_by());
}

}  // namespace

Expected<TransactionContent> take_content(v1::ApplyTransaction& content) { return take(content); }
Expected<TransactionContent> take_content(v1::CheckGraph& content) { return take(content); }

Expected<std::vector<SetParameter>> to_changes(const v1::SetParameters& message) {
    if (message.changes_size() == 0) return invalid("set_parameters holds no changes; it takes one or more");
    if (message.changes_size() > kMaximumItems) return too_many("the list of changes", message.changes_size());
    if (auto fits = check_size(message.ByteSizeLong()); !fits) return std::unexpected(std::move(fits.error()));
    std::vector<SetParameter> changes;
    changes.reserve(static_cast<std::size_t>(message.changes_size()));
    for (const v1::SetParameter& change : message.changes()) changes.push_back(to_change(change));
    return changes;
}

Expected<Settings> to_settings(const Struct& message, std::string_view node) {
    Settings settings;
    for (const auto& [name, value] : message.fields()) {
        auto setting = to_setting(value, name, node);
        if (!setting) return std::unexpected(std::move(setting.error()));
        settings.emplace(name, std::move(*setting));
    }
    return settings;
}

Expected<GraphDocument> to_document(const v1::Graph& message) {
    if (message.nodes_size() > kMaximumItems) return too_many("the graph's list of nodes", message.nodes_size());
    if (message.connections_size() > kMaximumItems) {
        return too_many("the graph's list of connections", message.connections_size());
    }
    GraphDocument document;
    document.nodes.reserve(static_cast<std::size_t>(message.nodes_size()));
    for (const v1::Node& from : message.nodes()) {
        auto settings = to_settings(from.settings(), from.name());
        if (!settings) return std::unexpected(std::move(settings.error()));
        GraphDocument::Node& node =
            document.nodes.emplace_back(GraphDocument::Node{from.name(), from.type(), std::move(*settings), {}, {}});
        for (const auto& [name, value] : from.parameters()) node.parameters.emplace(name, value);
    }
    document.connections.reserve(static_cast<std::size_t>(message.connections_size()));
    for (const v1::Connection& from : message.connections()) {
        GraphDocument::Connection& connection =
            document.connections.emplace_back(GraphDocument::Connection{from.from(), from.to(), {}, {}});
        if (from.has_gain_db()) connection.gain_db = from.gain_db();
    }
    document.latency_compensation = message.latency_compensation();
    return document;
}

Expected<Edit> to_edit(const v1::Edit& message) {
    switch (message.edit_case()) {
        case v1::Edit::kAddNode:
            return to_add_node(message.add_node());
        case v1::Edit::kRemoveNode:
            return RemoveNode{message.remove_node().name()};
        case v1::Edit::kRenameNode:
            return RenameNode{message.rename_node().name(), message.rename_node().new_name()};
        case v1::Edit::kConnect: {
            Connect edit{message.connect().from(), message.connect().to(), {}};
            if (message.connect().has_gain_db()) edit.gain_db = message.connect().gain_db();
            return edit;
        }
        case v1::Edit::kDisconnect:
            return Disconnect{message.disconnect().from(), message.disconnect().to()};
        case v1::Edit::kSetParameter:
            return to_change(message.set_parameter());
        case v1::Edit::kChangeSettings:
            return to_change_settings(message.change_settings());
        case v1::Edit::kSetLatencyCompensation:
            return SetLatencyCompensation{message.set_latency_compensation().enabled()};
        case v1::Edit::kReplaceGraph: {
            auto document = to_document(message.replace_graph());
            if (!document) return std::unexpected(std::move(document.error()));
            return ReplaceGraph{std::move(*document)};
        }
        case v1::Edit::EDIT_NOT_SET:
            break;
    }
    return invalid(
        "the edit is of no kind that this daemon knows: add_node, remove_node, rename_node, connect, disconnect, "
        "set_parameter, change_settings, set_latency_compensation or replace_graph");
}

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
    // Cut first: a character that the cut breaks is replaced like any other bad byte.
    message.set_message(valid_utf8(std::string_view{error.sentence}.substr(0, kLongestSentence)));
    if (error.edit_index) message.set_edit_index(*error.edit_index);
}

void to_wire(const GraphDocument& document, v1::Graph& message) {
    for (const GraphDocument::Node& from : document.nodes) {
        v1::Node& node = *message.add_nodes();
        node.set_name(from.name);
        node.set_type(from.type);
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
}

void to_wire(const NodeType& type, v1::NodeType& message) {
    set_string(*message.mutable_name(), type.name);
    set_string(*message.mutable_help(), type.help);
    for (const SettingSpec& setting : type.settings) setting_to_wire(setting, *message.add_settings());
    for (const ParameterSpec& parameter : type.parameters) parameter_to_wire(parameter, *message.add_parameters());
    if (const auto bypass = bypass_of(type)) parameter_to_wire(*bypass, *message.add_parameters());
    for (const PortSpec& port : type.inputs) port_to_wire(port, *message.add_inputs());
    for (const PortSpec& port : type.outputs) port_to_wire(port, *message.add_outputs());
}

void to_wire(const FrequencyResponse& response, v1::PortResponse& message) {
    constexpr double kFloorDb = -300.0;
    message.set_port(response.port);
    for (const std::complex<double>& value : response.values) {
        message.add_magnitude_db(static_cast<float>(std::max(20.0 * std::log10(std::abs(value)), kFloorDb)));
        message.add_phase_deg(static_cast<float>(std::arg(value) * 180.0 / std::numbers::pi));
    }
}

void to_wire(const LatencyReport& latency, const AudioGraph& graph, v1::EngineState& message) {
    constexpr std::size_t kMostNodes = 256;
    std::vector<LatencyReport::Node> nodes = latency.nodes;
    std::ranges::sort(nodes, [](const LatencyReport::Node& a, const LatencyReport::Node& b) {
        return a.own_frames != b.own_frames ? a.own_frames > b.own_frames : a.node < b.node;
    });
    nodes.resize(std::min(nodes.size(), kMostNodes));
    message.set_latency_frames(latency.output_frames);
    message.set_latency_compensation(graph.latency_compensation());
    for (const LatencyReport::Node& from : nodes) {
        v1::NodeLatency& node = *message.add_node_latencies();
        node.set_node(graph.find(from.node)->name());
        node.set_latency_frames(from.own_frames);
        node.set_output_latency_frames(from.output_frames);
    }
}

}  // namespace rta::api
