// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph/audio_graph.h"
#include "graph/edit.h"

namespace rta {

/// Returns the nodes that the edits add or rebuild, and that remember what they have heard. [any]
[[nodiscard]] std::vector<std::string> fresh_nodes(std::span<const Edit> edits, const AudioGraph& graph,
                                                   const NodeRegistry& registry);

}  // namespace rta
