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

/// The ports and parameters that a node of a type has once its settings are known: the one place that works them out.
struct NodeLayout {
    struct Port {
        std::string name;
        std::uint32_t width;  ///< channels
    };
    std::vector<Port> inputs;
    std::vector<Port> outputs;
    /// Repeated rows written out, each under a name of its own; behind them `bypass`, where the node has it.
    std::vector<ParameterSpec> parameters;
    bool has_bypass = false;

    [[nodiscard]] static NodeLayout of(const NodeType& type, const ResolvedSettings& settings);

    [[nodiscard]] std::optional<std::uint32_t> find_parameter(std::string_view name) const;
    [[nodiscard]] static std::optional<std::uint32_t> find_port(std::span<const Port> ports, std::string_view name);

 private:
    /// What the names of written-out rows point into; copies of the layout share it.
    std::shared_ptr<const std::deque<std::string>> own_names_;
    std::vector<std::uint32_t> by_name_;  ///< parameters sorted by name, where there are many
};

/// The parameter that the engine gives to every node whose `in` and `out` have one width: it cross-fades between what
/// the node makes and what goes in. Not in the type's own table; its processor never sees it. Where only the widest of
/// a type's nodes have one width on both sides, the row stands for them alone.
[[nodiscard]] std::optional<ParameterSpec> bypass_of(const NodeType& type);

/// INVALID_ARGUMENT, naming the node, the parameter, the value and the range, if the parameter cannot take `value`
/// (NaN and infinity included).
[[nodiscard]] Expected<void> check_parameter(const ParameterSpec& spec, float value, std::string_view node);

/// `[A-Za-z][A-Za-z0-9_-]{0,63}`
[[nodiscard]] bool is_node_name(std::string_view name);

}  // namespace rta
