// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// The graph in Graphviz's language: a box for each node with its type and what differs from the defaults, its ports on
/// the sides, an arrow for each connection with its gain.
[[nodiscard]] std::string to_dot(const v1::Graph& graph, const v1::NodeTypesResult& types);

}  // namespace rta::rtactl
