// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/node_type.h"
#include "graph/settings.h"

namespace rta {

struct SetParameter;

/// Ports and parameters of a node, derived from its type and settings. [any]
struct NodeLayout {
    struct Port {
        std::string name;
        std::uint32_t width;  ///< channels
    };
    std::vector<Port> inputs;
    std::vector<Port> outputs;
    /// Repeated rows are expanded, each with its own name. `bypass`, if the node has it, is last.
    std::vector<ParameterSpec> parameters;
    bool has_bypass = false;

    /// The sample rate is that of the graph; it decides the maxima that follow it.
    [[nodiscard]] static NodeLayout of(const NodeType& type, const ResolvedSettings& settings,
                                       double sample_rate_hz = kTableRateHz);

    [[nodiscard]] std::optional<std::uint32_t> find_parameter(std::string_view name) const;
    /// Returns an upper bound of the length of the parameters in a document, in bytes, for all of their values.
    [[nodiscard]] std::size_t document_bytes() const;
    [[nodiscard]] static std::optional<std::uint32_t> find_port(std::span<const Port> ports, std::string_view name);

 private:
    /// Storage of the names of expanded rows, shared by copies of the layout.
    std::shared_ptr<const std::deque<std::string>> own_names_;
    std::vector<std::uint32_t> by_name_;  ///< indices of parameters sorted by name; empty if there are few
};

/// Returns the `bypass` parameter of a type, which crossfades between the output and the input of a node. Nodes whose
/// `in` and `out` have the same width have it. It is not in the type's table, and the engine, not the processor,
/// handles it. If only nodes with the maximum of `channels` have it, the row is repeated accordingly. [any]
[[nodiscard]] std::optional<ParameterSpec> bypass_of(const NodeType& type);

/// Estimates the memory of a node, from above: that of its type, or for a type without an estimate by its channels and
/// parameters. [any]
[[nodiscard]] std::uint64_t estimated_memory_bytes(const NodeType& type, const BuildContext& context,
                                                   const NodeLayout& layout);

/// Checks a value against the range of the parameter. Errors: INVALID_ARGUMENT, for NaN and infinity too. [any]
[[nodiscard]] Expected<void> check_parameter(const ParameterSpec& spec, float value, std::string_view node);

/// Returns the value to which a change sets a parameter that is `current`. Errors: INVALID_ARGUMENT, with the result that
/// is out of range, or if the parameter cannot be changed in this way.
[[nodiscard]] Expected<float> value_after(const ParameterSpec& spec, float current, const SetParameter& change);

/// Returns whether the name matches `[A-Za-z][A-Za-z0-9_-]{0,63}`. [any]
[[nodiscard]] bool is_node_name(std::string_view name);

}  // namespace rta
