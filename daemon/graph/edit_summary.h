// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "graph/edit.h"

namespace rta {

/// Describes edits for people: "add osc; connect osc -> out". At most about 200 characters. [any]
[[nodiscard]] std::string summary_of(std::span<const Edit> edits);

}  // namespace rta
