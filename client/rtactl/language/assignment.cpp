// SPDX-License-Identifier: MIT
#include "rtactl/language/assignment.h"

#include <algorithm>
#include <set>
#include <utility>

#include "rta/type_table.h"
#include "rtactl/language/lexer.h"
#include "text/quantity.h"
#include "text/quoting.h"
#include "text/suggestion.h"

namespace rta::rtactl {

namespace {

/// The value that inverts an on/off parameter.
constexpr std::string_view kToggle = "toggle";

std::unexpected<std::string> refuse(std::string_view text, std::string_view what) {
    return std::unexpected(quoted(text) + ": " + std::string{what});
}

bool starts_quoted(std::string_view text) { return text.starts_with('"') || text.starts_with('\''); }

std::expected<std::string, std::string> unquote(std::string_view value, std::string_view whole) {
    if (!starts_quoted(value)) return std::string{value};
    const auto read = read_quoted(value);
    if (!read) return refuse(whole, read.error());
    if (read->length != value.size()) return refuse(whole, "unexpected text after the closing quote");
    return read->value;
}

/// Returns the length of the value at the start of `text`: up to the next comma, or including its closing quote.
std::expected<std::size_t, std::string> value_length(std::string_view text, std::string_view whole) {
    if (!starts_quoted(text)) {
        const std::string_view value = text.substr(0, text.find(','));
        if (value.find(':') != std::string_view::npos) {
            return refuse(whole,
                          "values are separated by commas (TYPE:p=v,p=v); a value that contains a : must be quoted");
        }
        return value.size();
    }
    const auto read = read_quoted(text);
    if (!read) return refuse(whole, read.error());
    return read->length;
}

google::protobuf::Value number_value(double number) {
    google::protobuf::Value value;
    value.set_number_value(number);
    return value;
}

google::protobuf::Value switch_value(bool on) {
    google::protobuf::Value value;
    value.set_bool_value(on);
    return value;
}

google::protobuf::Value text_value(const std::string& text) {
    google::protobuf::Value value;
    value.set_string_value(text);
    return value;
}

std::string wrong_value(const Assignment& assignment, std::string_view reason) {
    return assignment.name + " cannot be set: " + std::string{reason};
}

std::expected<ResolvedValue, std::string> resolve_parameter(const v1::ParameterInfo& parameter,
                                                            const Assignment& assignment) {
    const auto value = parse_value(assignment.value, unit_of_symbol(parameter.unit()));
    if (!value) return std::unexpected(wrong_value(assignment, value.error()));
    return static_cast<float>(*value);
}

std::expected<ResolvedValue, std::string> resolve_setting(const v1::SettingInfo& setting,
                                                          const Assignment& assignment) {
    if (setting.kind() == "on_off") {
        const auto value = parse_value(assignment.value, ValueUnit::on_off);
        if (!value) return std::unexpected(wrong_value(assignment, value.error()));
        // Other numbers are passed on, so that the daemon reports the error.
        return *value == 0.0 || *value == 1.0 ? switch_value(*value == 1.0) : number_value(*value);
    }
    if (setting.kind() == "integer" || setting.kind() == "number") {
        ValueUnit unit = unit_of_name(assignment.name);
        if (unit == ValueUnit::any) unit = ValueUnit::none;
        const auto value = parse_value(assignment.value, unit);
        if (!value) return std::unexpected(wrong_value(assignment, value.error()));
        return number_value(*value);
    }
    return text_value(assignment.value);
}

/// Returns whether an unknown name resembles a setting more than a parameter. The daemon then suggests the setting.
bool looks_like_setting(const v1::NodeType& type, std::string_view name) {
    std::vector<std::string_view> names;
    for (const v1::ParameterInfo& parameter : type.parameters()) names.emplace_back(parameter.name());
    const std::size_t parameters = names.size();
    for (const v1::SettingInfo& setting : type.settings()) names.emplace_back(setting.name());
    const std::string_view closest = closest_name(name, names);
    return !closest.empty() &&
           std::ranges::find(names, closest) - names.begin() >= static_cast<std::ptrdiff_t>(parameters);
}

ResolvedValue resolve_unknown(const v1::NodeType* type, const Assignment& assignment) {
    const auto value = parse_value(assignment.value, unit_of_name(assignment.name));
    if (!value) return text_value(assignment.value);
    if (type != nullptr && looks_like_setting(*type, assignment.name)) return number_value(*value);
    return static_cast<float>(*value);
}

}  // namespace

std::expected<Assignment, std::string> parse_assignment(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return refuse(text, "expected NAME=VALUE: = is missing");
    const std::string_view name = trimmed(text.substr(0, equals));
    if (name.empty()) return refuse(text, "expected NAME=VALUE: the name is missing");
    auto value = unquote(trimmed(text.substr(equals + 1)), text);
    if (!value) return std::unexpected(std::move(value.error()));
    return Assignment{std::string{name}, std::move(*value)};
}

std::expected<std::vector<Assignment>, std::string> parse_assignments(std::span<const std::string> texts) {
    std::vector<Assignment> assignments;
    for (const std::string& text : texts) {
        auto assignment = parse_assignment(text);
        if (!assignment) return std::unexpected(std::move(assignment.error()));
        assignments.push_back(std::move(*assignment));
    }
    return assignments;
}

std::expected<NodeAssignment, std::string> parse_node_assignment(std::string_view text) {
    constexpr std::string_view kExpected = "expected NODE.PARAM=VALUE, such as osc.frequency_hz=440";
    auto assignment = parse_assignment(text);
    if (!assignment) return refuse(text, kExpected);
    std::string_view name = assignment->name;
    const Operator op = take_operator(name);
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) return refuse(text, kExpected);
    return NodeAssignment{
        std::string{name.substr(0, dot)}, {std::string{name.substr(dot + 1)}, std::move(assignment->value)}, op};
}

Operator take_operator(std::string_view& name) {
    const char last = name.empty() ? '\0' : name.back();
    if (last != '+' && last != '-') return Operator::set;
    name = trimmed(name.substr(0, name.size() - 1));
    return last == '+' ? Operator::add : Operator::subtract;
}

std::expected<ChainLink, std::string> parse_chain_link(std::string_view text) {
    const std::size_t colon = text.find(':');
    ChainLink link{.type = std::string{text.substr(0, colon)}, .assignments = {}};
    if (link.type.empty()) return refuse(text, "missing node type: expected TYPE or TYPE:p=v,p=v");
    if (link.type.find('=') != std::string::npos) {
        return refuse(text, "expected TYPE:p=v,p=v: values follow the type after a :, without a blank");
    }
    if (colon == std::string_view::npos) return link;
    std::string_view rest = text.substr(colon + 1);
    for (;;) {
        const std::size_t equals = rest.find_first_of("=,");
        if (equals == std::string_view::npos || rest[equals] == ',') {
            return refuse(text, rest.empty() ? "missing p=v after : or ," : "expected p=v: = is missing");
        }
        const auto length = value_length(rest.substr(equals + 1), text);
        if (!length) return std::unexpected(length.error());
        const std::size_t end = equals + 1 + *length;
        auto assignment = parse_assignment(rest.substr(0, end));
        if (!assignment) return std::unexpected(std::move(assignment.error()));
        link.assignments.push_back(std::move(*assignment));
        if (end == rest.size()) return link;
        if (rest[end] != ',') return refuse(text, "expected a comma after the closing quote");
        rest.remove_prefix(end + 1);
    }
}

bool is_relative(const v1::NodeType* type, const NodeAssignment& assignment) {
    if (assignment.op != Operator::set) return true;
    const auto& [name, value] = assignment.assignment;
    return trimmed(value) == kToggle && (type == nullptr || !find_setting(*type, name));
}

std::expected<v1::SetParameter, std::string> resolve_relative(const v1::NodeType* type,
                                                              const NodeAssignment& assignment) {
    const auto& [node, named, op] = assignment;
    const auto parameter = type == nullptr ? std::nullopt : find_parameter(*type, named.name);
    if (type != nullptr && !parameter && find_setting(*type, named.name))
        return std::unexpected(wrong_value(named, "it is a setting; expected " + named.name + "=VALUE"));
    v1::SetParameter change;
    change.set_node(node);
    change.set_parameter(named.name);
    const bool is_switch = parameter && parameter->unit() == "on/off";
    if (op == Operator::set) {
        if (parameter && !is_switch)
            return std::unexpected(wrong_value(named, "only an on/off parameter can be toggled; expected a value"));
        change.set_toggle(true);
        return change;
    }
    if (is_switch) return std::unexpected(wrong_value(named, "expected on, off or toggle after ="));
    const ValueUnit unit = parameter ? unit_of_symbol(parameter->unit()) : unit_of_name(named.name);
    const auto value = parse_value(named.value, unit);
    if (!value) return std::unexpected(wrong_value(named, value.error()));
    change.set_add(static_cast<float>(op == Operator::add ? *value : -*value));
    return change;
}

std::expected<ResolvedValue, std::string> resolve(const v1::NodeType* type, const Assignment& assignment) {
    if (type != nullptr) {
        if (const auto parameter = find_parameter(*type, assignment.name))
            return resolve_parameter(*parameter, assignment);
        if (const auto setting = find_setting(*type, assignment.name)) return resolve_setting(*setting, assignment);
    }
    return resolve_unknown(type, assignment);
}

std::expected<void, std::string> assign(const v1::NodeType* type, const std::vector<Assignment>& assignments,
                                        v1::Node& node) {
    std::set<std::string_view> names;
    for (const Assignment& assignment : assignments) {
        if (!names.insert(assignment.name).second) return std::unexpected(quoted(assignment.name) + " is given twice");
        auto value = resolve(type, assignment);
        if (!value) return std::unexpected(std::move(value.error()));
        if (const float* parameter = std::get_if<float>(&*value)) {
            (*node.mutable_parameters())[assignment.name] = *parameter;
        } else {
            (*node.mutable_settings()->mutable_fields())[assignment.name] =
                std::get<google::protobuf::Value>(std::move(*value));
        }
    }
    return {};
}

}  // namespace rta::rtactl
