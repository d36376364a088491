// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Prints the page of `rtactl status`; `verbose`: with the id of the instance and the number of plans.
void print_status(std::ostream& out, const v1::StatusResult& status, bool verbose);
/// Prints the page of `rtactl status --summary`.
void print_summary(std::ostream& out, const v1::StatusResult& status);
/// Prints the page of `rtactl top`: a summary of the status, and the nodes with their loads.
void print_top(std::ostream& out, const v1::StatusResult& status, const v1::Graph& graph,
               const v1::NodeTypesResult& types, const v1::NodeLoads& loads);

}  // namespace rta::rtactl
