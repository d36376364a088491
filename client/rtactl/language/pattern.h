// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rta/graph_mirror.h"
#include "rtactl/language/assignment.h"

namespace rta::rtactl {

/// Returns whether text is a pattern: * in it stands for any text, also for none.
[[nodiscard]] bool is_pattern(std::string_view text);
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view text);

/// Replaces each assignment with a pattern in its node or name by assignments to all that match: parameters of all nodes,
/// or, if only the node is a pattern, also settings. Sorted by node, and by the order of the parameters of its type.
/// Refuses a pattern that nothing matches.
[[nodiscard]] std::expected<std::vector<NodeAssignment>, std::string> expand_patterns(
    const GraphMirror& graph, const v1::NodeTypesResult& types, std::span<const NodeAssignment> assignments);

}  // namespace rta::rtactl
