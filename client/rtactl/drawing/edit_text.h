// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Returns an edit as the command that makes it: "connect osc vol gain_db=-6".
[[nodiscard]] std::string describe(const v1::Edit& edit);
[[nodiscard]] std::string describe(const v1::SetParameter& change);

}  // namespace rta::rtactl
