// SPDX-License-Identifier: MIT
#pragma once

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

/// `NODE.NAME=VALUE`.
struct NodeAssignment {
    std::string node;
    Assignment assignment;
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
/// In a link, a value that contains `:` or `,` must be quoted.
[[nodiscard]] std::expected<ChainLink, std::string> parse_chain_link(std::string_view text);

/// The meaning of an assignment for a node type: a parameter in its own unit, or a setting.
using ResolvedValue = std::variant<float, google::protobuf::Value>;

/// Distinguishes parameters and settings by the daemon's table of the type, and converts units. An unknown name (or any
/// name, if `type` is nullptr) is passed on as what it resembles, so that the daemon reports the error.
[[nodiscard]] std::expected<ResolvedValue, std::string> resolve(const v1::NodeType* type, const Assignment& assignment);

/// Resolves the assignments into the parameters and settings of `node`. Refuses duplicate names.
[[nodiscard]] std::expected<void, std::string> assign(const v1::NodeType* type,
                                                      const std::vector<Assignment>& assignments, v1::Node& node);

}  // namespace rta::rtactl
