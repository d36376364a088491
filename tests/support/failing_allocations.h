// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <limits>

namespace rta::test {

inline constexpr std::size_t kNeverFails = std::numeric_limits<std::size_t>::max();

/// Allocations of this thread that still succeed; the next one throws std::bad_alloc. Requires failing_allocations.cpp in the test
/// program.
extern constinit thread_local std::size_t allocations_left;

}  // namespace rta::test
