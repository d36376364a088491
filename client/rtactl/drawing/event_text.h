// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "rta/v1/control.pb.h"
#include "rtactl/drawing/style.h"

namespace rta::rtactl {

/// Returns an event as one line, without a line end.
[[nodiscard]] std::string describe(const v1::Event& event);

/// Faults and dropouts stand out.
[[nodiscard]] Style style_of(const v1::Event& event);

}  // namespace rta::rtactl
