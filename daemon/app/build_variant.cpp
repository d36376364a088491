// SPDX-License-Identifier: MIT
#include "app/build_variant.h"

namespace rta::app {

const NodeRegistry& node_types() { return builtin_nodes(); }

#if defined(RTA_NO_RAMPS)
bool ramps_enabled() { return false; }
#else
bool ramps_enabled() { return true; }
#endif

}  // namespace rta::app
