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

/// `TYPE:NAME=VALUE,...`: one link of what `play` plays.
struct ChainLink {
    std::string type;
    std::vector<Assignment> assignments;
};

// The errors of all of these are a sentence that quotes what was written. A value may stand in quotes, and blanks
// around the =.
[[nodiscard]] std::expected<Assignment, std::string> parse_assignment(std::string_view text);
[[nodiscard]] std::expected<std::vector<Assignment>, std::string> parse_assignments(std::span<const std::string> texts);
[[nodiscard]] std::expected<NodeAssignment, std::string> parse_node_assignment(std::string_view text);
/// In a link, a value that holds `:` or `,` must stand in quotes.
[[nodiscard]] std::expected<ChainLink, std::string> parse_chain_link(std::string_view text);

/// What an assignment means for a node of some type: a parameter in its own unit, or a setting.
using ResolvedValue = std::variant<float, google::protobuf::Value>;

/// Tells parameters from settings by the daemon's own table and converts units. What the table does not know (`type`
/// may be nullptr too) is passed on as what it looks like, for the daemon to refuse in its own words. The error is a
/// sentence.
[[nodiscard]] std::expected<ResolvedValue, std::string> resolve(const v1::NodeType* type, const Assignment& assignment);

/// Resolves every assignment into `node`'s parameters and settings. Refuses a name that is assigned twice.
[[nodiscard]] std::expected<void, std::string> assign(const v1::NodeType* type,
                                                      const std::vector<Assignment>& assignments, v1::Node& node);

}  // namespace rta::rtactl
