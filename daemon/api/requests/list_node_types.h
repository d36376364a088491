// SPDX-License-Identifier: MIT
#pragma once

#include "graph/node_type.h"
#include "rta/v1/control.pb.h"

namespace rta::api {

/// Describes a node type, with its settings, parameters and ports. [any]
void to_wire(const NodeType& type, v1::NodeType& message);

}  // namespace rta::api
