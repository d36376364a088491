// SPDX-License-Identifier: MIT
#include "graph/layout.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <variant>

#include "graph/edit.h"
#include "text/format_number.h"
#include "text/quoting.h"
#include "text/sort_range.h"
#include "text/suggestion.h"

namespace rta {

namespace {

constexpr std::size_t kLongestNodeName = 64;

/// Larger tables are sorted for binary search.
constexpr std::size_t kLinearSearchLimit = 16;

std::uint32_t count_of(const Repeat& repeat, const ResolvedSettings& settings) {
    if (!repeat.given()) return 1;
    const auto setting = settings.values().find(repeat.setting);
    const bool is_switch = setting != settings.values().end() && std::holds_alternative<bool>(setting->second);
    if (is_switch) return settings.on(repeat.setting) ? 1 : 0;
    return settings.integer(repeat.setting) - repeat.less;
}

std::vector<NodeLayout::Port> ports_of(std::span<const PortSpec> specs, const ResolvedSettings& settings) {
    const std::uint32_t channels = settings.values().contains("channels") ? settings.integer("channels") : 1;
    std::vector<NodeLayout::Port> ports;
    for (const PortSpec& spec : specs) {
        const std::uint32_t width = spec.width == 0 ? channels : spec.width;
        const std::uint32_t count = count_of(spec.repeat, settings);
        for (std::uint32_t number = 1; number <= count; ++number) ports.push_back({numbered(spec.name, number), width});
    }
    return ports;
}

/// Returns the row with its maximum at this sample rate, lowered to the setting that limits it.
ParameterSpec limited(const ParameterSpec& of_type, const ResolvedSettings& settings, double sample_rate_hz) {
    ParameterSpec spec = at_rate(of_type, sample_rate_hz);
    if (spec.maximum_setting.empty()) return spec;
    spec.maximum = std::min(spec.maximum, static_cast<float>(settings.number(spec.maximum_setting)));
    spec.default_value = std::min(spec.default_value, spec.maximum);
    return spec;
}

/// Appends a row as many times as the settings require. `names` stores names that are not in the table.
void expand(const ParameterSpec& spec, const ResolvedSettings& settings, std::vector<ParameterSpec>& parameters,
            std::deque<std::string>& names) {
    if (!spec.repeat.given()) {
        parameters.push_back(spec);
        return;
    }
    const std::uint32_t outer_count = count_of(spec.repeat, settings);
    const std::uint32_t inner_count = count_of(spec.repeat_inner, settings);
    float default_value = spec.default_value;
    for (std::uint32_t outer = 1; outer <= outer_count; ++outer) {
        for (std::uint32_t inner = 1; inner <= inner_count; ++inner) {
            ParameterSpec row = spec;
            row.name = names.emplace_back(numbered(numbered(spec.name, outer), inner));
            row.default_value = default_value;
            row.repeat = row.repeat_inner = {};
            parameters.push_back(row);
        }
        default_value = std::clamp(default_value * spec.default_factor, spec.minimum, spec.maximum);
    }
}

constexpr ParameterSpec kBypass =
    on_off("bypass", false, "Bypasses the node with a crossfade; the node keeps processing.");

constexpr bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

std::string range_of(const ParameterSpec& spec) {
    std::string range = format_number(spec.minimum) + " to " + format_number(spec.maximum);
    const std::string_view unit = unit_symbol(spec.unit);
    if (!unit.empty()) range.append(" ").append(unit);
    return range;
}

}  // namespace

NodeLayout NodeLayout::of(const NodeType& type, const ResolvedSettings& settings, double sample_rate_hz) {
    NodeLayout layout;
    layout.inputs = ports_of(type.inputs, settings);
    layout.outputs = ports_of(type.outputs, settings);
    auto names = std::make_shared<std::deque<std::string>>();
    for (const ParameterSpec& spec : type.parameters)
        expand(limited(spec, settings, sample_rate_hz), settings, layout.parameters, *names);
    const std::size_t own_parameters = layout.parameters.size();
    if (const auto bypass = bypass_of(type)) expand(*bypass, settings, layout.parameters, *names);
    layout.has_bypass = layout.parameters.size() != own_parameters;
    if (!names->empty()) layout.own_names_ = std::move(names);
    if (layout.parameters.size() > kLinearSearchLimit) {
        layout.by_name_.resize(layout.parameters.size());
        std::iota(layout.by_name_.begin(), layout.by_name_.end(), 0U);
        sort_range(layout.by_name_, {}, [&](std::uint32_t index) { return layout.parameters[index].name; });
    }
    return layout;
}

std::optional<ParameterSpec> bypass_of(const NodeType& type) {
    if (type.inputs.empty() || type.outputs.size() != 1) return std::nullopt;
    const PortSpec& in = type.inputs.front();
    const PortSpec& out = type.outputs.front();
    if (in.name != "in" || out.name != "out") return std::nullopt;
    if (in.width == out.width) return kBypass;
    const auto channels = std::ranges::find(type.settings, "channels", &SettingSpec::name);
    const bool widest_fits = in.width == 0 && channels != type.settings.end() && channels->maximum == out.width;
    return widest_fits ? std::optional{repeated(kBypass, "channels", out.width - 1)} : std::nullopt;
}

std::optional<std::uint32_t> NodeLayout::find_parameter(std::string_view name) const {
    if (!by_name_.empty()) {
        const auto name_of = [&](std::uint32_t index) { return parameters[index].name; };
        const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
        return found != by_name_.end() && name_of(*found) == name ? std::optional{*found} : std::nullopt;
    }
    const auto found = std::ranges::find(parameters, name, &ParameterSpec::name);
    if (found == parameters.end()) return std::nullopt;
    return static_cast<std::uint32_t>(found - parameters.begin());
}

std::optional<std::uint32_t> NodeLayout::find_port(std::span<const Port> ports, std::string_view name) {
    const auto found = std::ranges::find(ports, name, &Port::name);
    if (found == ports.end()) return std::nullopt;
    return static_cast<std::uint32_t>(found - ports.begin());
}

Expected<void> check_parameter(const ParameterSpec& spec, float value, std::string_view node) {
    const bool in_range = value >= spec.minimum && value <= spec.maximum;  // false for NaN
    const bool is_switch = spec.unit == Unit::on_off;
    if (in_range && (!is_switch || value == spec.minimum || value == spec.maximum)) return {};

    const std::string at_fault =
        "node " + quoted(node) + ": parameter " + std::string{spec.name} + " = " + format_number(value);
    if (is_switch) return fail(ErrorCode::invalid_argument, at_fault + " must be 0 (off) or 1 (on)");
    if (!std::isfinite(value)) {
        return fail(ErrorCode::invalid_argument, at_fault + " must be a finite number from " + range_of(spec));
    }
    return fail(ErrorCode::invalid_argument, at_fault + " is out of range: " + range_of(spec));
}

Expected<float> value_after(const ParameterSpec& spec, float current, const SetParameter& change) {
    const bool is_switch = spec.unit == Unit::on_off;
    const auto refuse = [&](std::string_view why) {
        return fail(ErrorCode::invalid_argument,
                    "node " + quoted(change.node) + ": parameter " + std::string{spec.name} + " " + std::string{why});
    };
    if (change.kind == SetParameter::Kind::toggle) {
        if (!is_switch) return refuse("cannot be toggled: it is not an on/off parameter; expected a value, or add");
        return current == spec.minimum ? spec.maximum : spec.minimum;
    }
    const bool adds = change.kind == SetParameter::Kind::add;
    if (adds && is_switch) return refuse("is on or off: nothing can be added to it; expected a value, or toggle");
    const float value = adds ? decimal_sum(current, change.value) : change.value;
    auto good = check_parameter(spec, value, change.node);
    if (good) return value;
    if (adds) good.error().sentence += " (" + format_number(current) + " plus " + format_number(change.value) + ")";
    return std::unexpected(std::move(good.error()));
}

bool is_node_name(std::string_view name) {
    if (name.empty() || name.size() > kLongestNodeName || !is_letter(name.front())) return false;
    return std::ranges::all_of(name,
                               [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

const NodeType* NodeRegistry::find(std::string_view name) const {
    const auto found = std::ranges::lower_bound(types_, name, {}, &NodeType::name);
    return found != types_.end() && (*found)->name == name ? *found : nullptr;
}

Expected<const NodeType*> NodeRegistry::require(std::string_view name) const {
    if (const NodeType* const type = find(name)) return type;
    std::vector<std::string_view> names;
    for (const NodeType* const type : types_) names.push_back(type->name);
    return fail(ErrorCode::not_found, unknown_name("node type", name, names));
}

}  // namespace rta
