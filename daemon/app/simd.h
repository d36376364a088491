// SPDX-License-Identifier: MIT
#pragma once

#include "text/error.h"

namespace rta::app {

/// Uses the SIMD target named by the environment variable RTAD_SIMD, for tests and measurements; without it the best
/// one stays. INVALID_ARGUMENT, naming those that there are, if this CPU or this build has no such target. Before any
/// engine is made.
[[nodiscard]] Expected<void> choose_simd_target();

}  // namespace rta::app
