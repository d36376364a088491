// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "rt/annotations.h"

namespace rta {

/// Returns a CPU counter that runs at a constant rate, independent of the CPU frequency: the time-stamp counter (x86)
/// or the virtual timer (ARM). Reading it takes a few nanoseconds and no system call. The rate is unknown: calibrate it
/// against a clock. [any]
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
/// No counter is available, for example in WebAssembly: all measured times are 0.
inline constexpr bool kHasCycleCounter = false;
[[nodiscard]] inline std::uint64_t cycle_count() RTA_NONBLOCKING { return 0; }
#endif

}  // namespace rta
