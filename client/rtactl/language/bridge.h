// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "rta/graph_mirror.h"

namespace rta::rtactl {

/// Returns the edits that remove a node and connect every source of its input to every destination of its output. The
/// gains of the two connections that each new one replaces are added, in dB. Refuses a node that is not in one path, or
/// whose neighbours cannot be connected in the same way.
[[nodiscard]] std::expected<std::vector<v1::Edit>, std::string> bridge_edits(const GraphMirror& graph,
                                                                             const std::string& node);

}  // namespace rta::rtactl
