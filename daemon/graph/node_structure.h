// SPDX-License-Identifier: MIT
#pragma once

#include "graph/audio_graph.h"

namespace rta {

/// Returns whether two states of one node differ in the values of parameters only. [any]
[[nodiscard]] bool same_structure(const GraphNode& a, const GraphNode& b);

}  // namespace rta
