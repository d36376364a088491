// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Returns the graph in the DOT language: a box for each node with its type, its ports and the values that differ from
/// their defaults, and an arrow for each connection with its gain.
[[nodiscard]] std::string to_dot(const v1::Graph& graph, const v1::NodeTypesResult& types);

}  // namespace rta::rtactl
