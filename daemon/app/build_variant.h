// SPDX-License-Identifier: MIT
#pragma once

#include "graph/node_type.h"

namespace rta::app {

// What differs between rtad and the two binaries that are built for the tests only.

/// Returns the node types of this binary: builtin_nodes(), and a few that misbehave in rtad_test_nodes.
[[nodiscard]] const NodeRegistry& node_types();

/// Returns EngineConfig::ramps of this binary: false in rtad_no_ramps only. The tests that listen for clicks must fail
/// with that one.
[[nodiscard]] bool ramps_enabled();

}  // namespace rta::app
