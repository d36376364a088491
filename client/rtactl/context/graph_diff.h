// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "document/document.h"
#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Returns the edits that turn `current` into `wanted`, in an order in which they can be applied. A node whose type
/// differs is replaced; one whose settings differ is rebuilt; a parameter missing from `wanted` is set to its default.
/// Both graphs must be valid, and `current` must have every parameter, as the daemon sends it.
[[nodiscard]] std::vector<v1::Edit> edits_between(const v1::Graph& current, const v1::Graph& wanted,
                                                  const v1::NodeTypesResult& types);

/// Converts a message to a document.
[[nodiscard]] GraphDocument to_document(const v1::Graph& graph);

}  // namespace rta::rtactl
