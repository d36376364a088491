// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "graph/node_type.h"
#include "graph/settings.h"

namespace rta {

/// Returns a number that is equal for nodes whose processors take the same time for a block: of one type, with the same
/// settings. Settings that are drawn do not count; numbers, which are times and levels, count by their power of two. [any]
[[nodiscard]] std::uint64_t cost_class(const NodeType& type, const ResolvedSettings& settings);

}  // namespace rta
