// SPDX-License-Identifier: MIT
#pragma once

#include "rtactl/context/context.h"

namespace rta::rtactl {

/// Prints the nodes and connections of the graph as tables.
[[nodiscard]] Result<void> list_graph(Context& context);

}  // namespace rta::rtactl
