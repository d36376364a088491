// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// `NAME=VALUE`, not yet known to be a parameter or a setting.
struct Assignment {
    std::string name;
    std::string value;
};

/// How a value is assigned.
enum class Operator : std::uint8_t {
    set,       ///< =
    add,       ///< +=
    subtract,  ///< -=
};

/// `NODE.NAME=VALUE`, `NODE.NAME+=VALUE` or `NODE.NAME-=VALUE`.
struct NodeAssignment {
    std::string node;
    Assignment assignment;
    Operator op = Operator::set;
};

/// `TYPE:NAME=VALUE,...`: one link of a chain for `play`.
struct ChainLink {
    std::string type;
    std::vector<Assignment> assignments;
};

// Errors are sentences that quote the text. Values may be quoted, and blanks around = are allowed.
[[nodiscard]] std::expected<Assignment, std::string> parse_assignment(std::string_view text);
[[nodiscard]] std::expected<std::vector<Assignment>, std::string> parse_assignments(std::span<const std::string> texts);
[[nodiscard]] std::expected<NodeAssignment, std::string> parse_node_assignment(std::string_view text);
/// Removes + or - from the end of the name in `NAME+` or `NAME-`, as it stands before the = of an assignment.
[[nodiscard]] Operator take_operator(std::string_view& name);
/// In a link, a value that contains `:` or `,` must be quoted.
[[nodiscard]] std::expected<ChainLink, std::string> parse_chain_link(std::string_view text);

/// The meaning of an assignment for a node type: a parameter in its own unit, or a setting.
using ResolvedValue = std::variant<float, google::protobuf::Value>;

/// Returns whether the assignment, to a node of this type, changes a parameter relative to its current value: `+=`, `-=`,
/// `=toggle`. nullptr: the type is not known.
[[nodiscard]] bool is_relative(const v1::NodeType* type, const NodeAssignment& assignment);
/// Resolves a relative assignment.
[[nodiscard]] std::expected<v1::SetParameter, std::string> resolve_relative(const v1::NodeType* type,
                                                                            const NodeAssignment& assignment);

/// Distinguishes parameters and settings by the daemon's table of the type, and converts units. An unknown name (or any
/// name, if `type` is nullptr) is passed on as what it resembles, so that the daemon reports the error.
[[nodiscard]] std::expected<ResolvedValue, std::string> resolve(const v1::NodeType* type, const Assignment& assignment);

/// Resolves the assignments into the parameters and settings of `node`. Refuses duplicate names.
[[nodiscard]] std::expected<void, std::string> assign(const v1::NodeType* type,
                                                      const std::vector<Assignment>& assignments, v1::Node& node);

}  // namespace rta::rtactl
