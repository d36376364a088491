// SPDX-License-Identifier: MIT
#include "graph/layout.h"

#include <algorithm>
#include <cmath>

#include "graph/document.h"
#include "graph/names.h"

namespace rta {

namespace {

constexpr std::size_t kLongestNodeName = 64;

std::vector<NodeLayout::Port> ports_of(std::span<const PortSpec> specs, std::uint32_t channels) {
    std::vector<NodeLayout::Port> ports;
    ports.reserve(specs.size());
    for (const PortSpec& spec : specs)
        ports.push_back({std::string{spec.name}, spec.width == 0 ? channels : spec.width});
    return ports;
}

constexpr bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

std::string range_of(const ParameterSpec& spec) {
    std::string range = format_number(spec.minimum) + " to " + format_number(spec.maximum);
    const std::string_view unit = unit_symbol(spec.unit);
    if (!unit.empty()) range.append(" ").append(unit);
    return range;
}

}  // namespace

NodeLayout NodeLayout::of(const NodeType& type, const ResolvedSettings& settings) {
    const std::uint32_t channels = settings.values().contains("channels") ? settings.integer("channels") : 1;
    return {.inputs = ports_of(type.inputs, channels),
            .outputs = ports_of(type.outputs, channels),
            .parameters = {type.parameters.begin(), type.parameters.end()}};
}

std::optional<std::uint32_t> NodeLayout::find_parameter(std::string_view name) const {
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

bool is_node_name(std::string_view name) {
    if (name.empty() || name.size() > kLongestNodeName || !is_letter(name.front())) return false;
    return std::ranges::all_of(name,
                               [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

const NodeType* NodeRegistry::find(std::string_view name) const {
    const auto found = std::ranges::lower_bound(types_, name, {}, &NodeType::name);
    return found != types_.end() && (*found)->name == name ? *found : nullptr;
}

}  // namespace rta
