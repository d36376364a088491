// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "graph/edit.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

/// INVALID_ARGUMENT: no changes, too many changes, or changes that do not fit into an event. [any]
[[nodiscard]] Expected<std::vector<SetParameter>> to_changes(const v1::SetParameters& message);

}  // namespace rta::api
