// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace rta {

/// Bytes between two things that different threads write. Not std::hardware_destructive_interference_size: its value
/// depends on compiler flags, and GCC warns of it in headers.
inline constexpr std::size_t kCacheLine = 64;

}  // namespace rta
