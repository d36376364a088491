// SPDX-License-Identifier: MIT
#include "io/monotonic_clock.h"

#include <ctime>

namespace rta::io {

// Declared as if it called the system; the kernel's vDSO answers in the process itself, by reading a counter.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wfunction-effects"
#endif
std::int64_t monotonic_now_ns() RTA_NONBLOCKING {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

}  // namespace rta::io
