// SPDX-License-Identifier: MIT
#pragma once

#include "graph/node_type.h"

namespace rta::app {

/// The node types of this binary: builtin_nodes(), but in rtad_test_nodes, which has more, to make trouble with.
[[nodiscard]] const NodeRegistry& node_set();

}  // namespace rta::app
