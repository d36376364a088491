// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "document/document.h"
#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// The edits that make `wanted` of `now`, in an order in which they can be made: what to load `wanted` would change. A
/// node of another type is another node; one of other settings is built anew; parameters that `wanted` leaves out are
/// to have their defaults. `now` has every parameter, as the daemon tells them, and both are graphs that it would take.
[[nodiscard]] std::vector<v1::Edit> edits_between(const v1::Graph& now, const v1::Graph& wanted,
                                                  const v1::NodeTypesResult& types);

/// The document as a message.
[[nodiscard]] v1::Graph to_graph(const GraphDocument& document);

}  // namespace rta::rtactl
