// SPDX-License-Identifier: MIT
#pragma once

namespace rta::rtactl {

/// Whether a descriptor is a terminal on which rtactl can draw: TERM names one that has escape sequences.
[[nodiscard]] bool can_draw(int descriptor);
/// Whether it is one that shows colours. The user switches them off with NO_COLOR; see https://no-color.org.
[[nodiscard]] bool can_colour(int descriptor);

}  // namespace rta::rtactl
