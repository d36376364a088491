// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Prints a table of the nodes, with the values that differ from their defaults, and one of the connections.
void print_graph(std::ostream& out, const v1::Graph& graph, const v1::NodeTypesResult& types);

}  // namespace rta::rtactl
