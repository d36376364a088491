// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Returns an event as one line, without a line end.
[[nodiscard]] std::string describe(const v1::Event& event);

}  // namespace rta::rtactl
