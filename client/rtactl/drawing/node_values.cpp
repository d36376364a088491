// SPDX-License-Identifier: MIT
#include "rtactl/drawing/node_values.h"

#include <algorithm>
#include <map>
#include <ostream>

#include "rta/type_table.h"
#include "text/format_number.h"
#include "text/quantity.h"

namespace rta::rtactl {

void print_values(std::ostream& out, const v1::Node& node, const v1::NodeType* type, std::string_view name,
                  Naming naming) {
    const bool full = naming == Naming::full;
    const auto value_text = [&](float value, const std::string& unit) {
        return format_value(value, full || unit == "on/off" ? unit : "");
    };
    std::vector<std::string_view> printed;
    const auto print = [&](const std::string& value_name, const std::string& value) {
        printed.push_back(value_name);
        if (!name.empty() && value_name != name) return;
        if (full) out << node.name() << '.' << value_name << " = ";
        out << value << '\n';
    };
    if (type != nullptr) {
        for (const v1::ParameterInfo& parameter : type->parameters()) {
            const auto value = node.parameters().find(parameter.name());
            if (value != node.parameters().end()) print(parameter.name(), value_text(value->second, parameter.unit()));
        }
    }
    // Then the parameters that share one row of the table, such as gain_#_db, in a stable order.
    std::vector<std::string_view> others;
    for (const auto& [other, value] : node.parameters()) {
        if (std::ranges::find(printed, other) == printed.end()) others.push_back(other);
    }
    std::ranges::sort(others);
    for (const std::string_view other : others) {
        const auto info = type == nullptr ? std::nullopt : find_parameter(*type, other);
        print(std::string{other}, value_text(node.parameters().at(std::string{other}), info ? info->unit() : ""));
    }
    if (type != nullptr) {
        for (const v1::SettingInfo& setting : settings_of(*type, node.settings())) {
            const auto given = node.settings().fields().find(setting.name());
            print(setting.name(),
                  describe(given == node.settings().fields().end() ? setting.default_() : given->second));
        }
    }
}

std::vector<std::string> changed_values(const v1::Node& node, const v1::NodeType* type) {
    std::vector<std::string> values;
    std::map<std::string, std::string> settings;
    for (const auto& [name, value] : node.settings().fields()) settings.emplace(name, describe(value));
    std::map<std::string, std::string> parameters;
    for (const auto& [name, value] : node.parameters()) parameters.emplace(name, format_number(value));
    if (type != nullptr) {
        for (const v1::SettingInfo& setting : settings_of(*type, node.settings())) {
            const auto given = settings.find(setting.name());
            if (given != settings.end() && given->second == describe(setting.default_())) settings.erase(given);
        }
        for (const auto& [name, value] : node.parameters()) {
            const auto info = find_parameter(*type, name);
            if (!info) continue;
            if (value == info->default_()) {
                parameters.erase(name);
            } else {
                parameters[name] = format_value(value, info->unit());
            }
        }
    }
    values.reserve(settings.size() + parameters.size());
    for (const auto& [name, value] : settings) values.push_back(name + " = " + value);
    for (const auto& [name, value] : parameters) values.push_back(name + " = " + value);
    return values;
}

std::string describe(const google::protobuf::Value& value) {
    switch (value.kind_case()) {
        case google::protobuf::Value::kBoolValue:
            return value.bool_value() ? "on" : "off";
        case google::protobuf::Value::kNumberValue:
            return format_number(value.number_value());
        case google::protobuf::Value::kStringValue:
            return value.string_value();
        case google::protobuf::Value::kNullValue:
        case google::protobuf::Value::kStructValue:
        case google::protobuf::Value::kListValue:
        case google::protobuf::Value::KIND_NOT_SET:
            break;
    }
    return "";
}

}  // namespace rta::rtactl
