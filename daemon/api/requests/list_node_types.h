// SPDX-License-Identifier: MIT
#pragma once

#include "graph/node_type.h"
#include "rta/v1/control.pb.h"

namespace rta::api {

/// Describes a node type, with its settings, parameters and ports. The maxima of some parameters depend on the sample
/// rate. [any]
void to_wire(const NodeType& type, double sample_rate_hz, v1::NodeType& message);

}  // namespace rta::api
