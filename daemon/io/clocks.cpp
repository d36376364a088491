// SPDX-License-Identifier: MIT
#include "io/clocks.h"

#include <ctime>

namespace rta::io {

// Clang takes clock_gettime() for a blocking system call; the kernel's vDSO answers it in user space.
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
