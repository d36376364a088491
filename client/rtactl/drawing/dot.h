// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Returns the graph in the DOT language: a box for each node with its type and the values that differ from their
/// defaults, with inputs at the left and outputs at the right, which have names if there are several; and an arrow for
/// each connection with its gain.
[[nodiscard]] std::string to_dot(const v1::Graph& graph, const v1::NodeTypesResult& types);

}  // namespace rta::rtactl
