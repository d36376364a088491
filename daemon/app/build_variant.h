// SPDX-License-Identifier: MIT
#pragma once

#include "graph/node_type.h"

namespace rta::app {

// Differences between rtad and the two binaries that are built only for tests.

/// Returns the node types of this binary: builtin_nodes(), and some faulty ones in rtad_test_nodes.
[[nodiscard]] const NodeRegistry& node_types();

/// Returns EngineConfig::ramps of this binary: false in rtad_no_ramps only, with which the click tests must fail.
[[nodiscard]] bool ramps_enabled();

}  // namespace rta::app
