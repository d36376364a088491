// SPDX-License-Identifier: MIT
#include "rta/type_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace rta {

namespace {

/// Returns the number at the first # of `pattern` in `name`; 0 if the name does not match.
unsigned first_number(std::string_view pattern, std::string_view name) {
    unsigned first = 0;
    while (!pattern.empty()) {
        if (pattern.front() != '#') {
            if (name.empty() || name.front() != pattern.front()) return 0;
            name.remove_prefix(1);
        } else {
            unsigned number = 0;
            const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
            if (error != std::errc{} || number == 0 || name.front() == '0') return 0;
            if (first == 0) first = number;
            name.remove_prefix(static_cast<std::size_t>(end - name.data()));
        }
        pattern.remove_prefix(1);
    }
    return name.empty() ? first : 0;
}

std::string numbered(std::string pattern, unsigned number) {
    if (const std::size_t mark = pattern.find('#'); mark != std::string::npos)
        pattern.replace(mark, 1, std::to_string(number));
    return pattern;
}

/// Returns 1 or 0 for a setting that is on or off.
double number_of(const google::protobuf::Value& value) {
    return value.kind_case() == google::protobuf::Value::kBoolValue ? (value.bool_value() ? 1.0 : 0.0)
                                                                    : value.number_value();
}

constexpr std::size_t kMostRepeats = 65'536;

/// Returns the number of repetitions.
unsigned count_of(const v1::RepeatInfo& repeat, const v1::NodeType& type, const google::protobuf::Struct& settings) {
    const double count = number_setting(type, settings, repeat.setting()) - static_cast<double>(repeat.less());
    return static_cast<unsigned>(std::clamp(count, 0.0, static_cast<double>(kMostRepeats)));
}

/// Returns the names to which the pattern of a row expands. The last # varies fastest.
std::vector<std::string> names_of(const v1::ParameterInfo& parameter, const v1::NodeType& type,
                                  const google::protobuf::Struct& settings) {
    std::vector<std::string> names{parameter.name()};
    for (const v1::RepeatInfo& repeat : parameter.repeated_by()) {
        const unsigned count = count_of(repeat, type, settings);
        std::vector<std::string> longer;
        for (const std::string& name : names) {
            for (unsigned number = 1; number <= count && longer.size() < kMostRepeats; ++number)
                longer.push_back(numbered(name, number));
        }
        names = std::move(longer);
    }
    return names;
}

}  // namespace

std::vector<v1::ParameterInfo> parameters_of(const v1::NodeType& type, const google::protobuf::Struct& settings) {
    std::vector<v1::ParameterInfo> parameters;
    for (const v1::ParameterInfo& row : type.parameters()) {
        for (const std::string& name : names_of(row, type, settings)) {
            v1::ParameterInfo& parameter = parameters.emplace_back(row);
            if (auto found = find_parameter(type, name)) parameter = std::move(*found);
            parameter.set_name(name);
            if (row.maximum_setting().empty()) continue;
            const auto maximum = static_cast<float>(number_setting(type, settings, row.maximum_setting()));
            parameter.set_maximum(std::min(parameter.maximum(), maximum));
            parameter.set_default_(std::min(parameter.default_(), maximum));
        }
    }
    return parameters;
}

const v1::NodeType* find_type(const v1::NodeTypesResult& types, std::string_view name) {
    const auto found =
        std::ranges::find(types.types(), name, [](const v1::NodeType& type) { return std::string_view{type.name()}; });
    return found == types.types().end() ? nullptr : &*found;
}

std::optional<v1::SettingInfo> find_setting(const v1::NodeType& type, std::string_view name) {
    for (const v1::SettingInfo& setting : type.settings()) {
        const bool repeated = setting.has_repeated_by() && first_number(setting.name(), name) != 0;
        if (setting.name() != name && !repeated) continue;
        v1::SettingInfo found = setting;
        found.set_name(std::string{name});
        return found;
    }
    return std::nullopt;
}

std::vector<v1::SettingInfo> settings_of(const v1::NodeType& type, const google::protobuf::Struct& settings) {
    std::vector<v1::SettingInfo> all;
    for (const v1::SettingInfo& row : type.settings()) {
        const unsigned count = row.has_repeated_by() ? count_of(row.repeated_by(), type, settings) : 1;
        for (unsigned number = 1; number <= count; ++number)
            all.emplace_back(row).set_name(numbered(row.name(), number));
    }
    return all;
}

std::optional<v1::ParameterInfo> find_parameter(const v1::NodeType& type, std::string_view name) {
    for (const v1::ParameterInfo& parameter : type.parameters()) {
        if (parameter.name() == name) return parameter;
        if (parameter.repeated_by_size() == 0) continue;
        const unsigned number = first_number(parameter.name(), name);
        if (number == 0) continue;
        v1::ParameterInfo found = parameter;
        found.set_name(std::string{name});
        if (parameter.has_default_factor())
            found.set_default_(
                std::clamp(parameter.default_() * std::pow(parameter.default_factor(), static_cast<float>(number - 1)),
                           parameter.minimum(), parameter.maximum()));
        return found;
    }
    return std::nullopt;
}

double number_setting(const v1::NodeType& type, const google::protobuf::Struct& settings, std::string_view name) {
    const auto given = settings.fields().find(std::string{name});
    if (given != settings.fields().end()) return number_of(given->second);
    const auto setting = find_setting(type, name);
    return setting ? number_of(setting->default_()) : 0.0;
}

std::vector<std::string> port_names(const Ports& ports, const v1::NodeType& type,
                                    const google::protobuf::Struct& settings) {
    std::vector<std::string> names;
    for (const v1::PortInfo& port : ports) {
        if (!port.has_repeated_by()) {
            names.push_back(port.name());
            continue;
        }
        const unsigned count = count_of(port.repeated_by(), type, settings);
        for (unsigned number = 1; number <= count; ++number) names.push_back(numbered(port.name(), number));
    }
    return names;
}

unsigned port_width(const Ports& ports, const v1::NodeType& type, const google::protobuf::Struct& settings,
                    std::string_view port) {
    for (const v1::PortInfo& info : ports) {
        if (info.name() != port && first_number(info.name(), port) == 0) continue;
        return info.width() != 0 ? info.width() : static_cast<unsigned>(number_setting(type, settings, "channels"));
    }
    return 0;
}

}  // namespace rta
