// SPDX-License-Identifier: MIT
#include "app/node_set.h"

namespace rta::app {

const NodeRegistry& node_set() { return builtin_nodes(); }

}  // namespace rta::app
