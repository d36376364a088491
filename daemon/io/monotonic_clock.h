// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "rt/annotations.h"

namespace rta::io {

/// [any] Nanoseconds of a clock that nobody sets, as std::chrono::steady_clock counts them.
[[nodiscard]] std::int64_t monotonic_now_ns() RTA_NONBLOCKING;

}  // namespace rta::io
