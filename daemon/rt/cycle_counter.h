// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "rt/annotations.h"

namespace rta {

/// A counter of the CPU that counts at a constant rate, whatever the CPU's clock does, and is read in a few nanoseconds
/// without a system call: the time-stamp counter, or the virtual timer of ARM. Its rate is told by nobody, so compare
/// it with a clock. [any]
#if defined(__x86_64__) || defined(__i386__)
inline constexpr bool kHasCycleCounter = true;
[[nodiscard]] inline std::uint64_t cycle_count() RTA_NONBLOCKING { return __builtin_ia32_rdtsc(); }
#elif defined(__aarch64__)
inline constexpr bool kHasCycleCounter = true;
[[nodiscard]] inline std::uint64_t cycle_count() RTA_NONBLOCKING {
    std::uint64_t count = 0;
    asm volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
}
#else
/// There is none, as in WebAssembly: nothing can be timed, and everything takes no time.
inline constexpr bool kHasCycleCounter = false;
[[nodiscard]] inline std::uint64_t cycle_count() RTA_NONBLOCKING { return 0; }
#endif

}  // namespace rta
