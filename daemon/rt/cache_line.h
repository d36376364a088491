// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace rta {

/// Minimum distance in bytes between objects that different threads write. Not
/// std::hardware_destructive_interference_size, whose value depends on compiler flags and about which GCC warns in
/// headers.
inline constexpr std::size_t kCacheLine = 64;

}  // namespace rta
