// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "rt/annotations.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace rta {

/// Treats denormal operands and results as zero on the calling thread for its lifetime, then restores the previous
/// mode. Decaying filters and delays reach denormals, and an operation on one takes about a hundred cycles on many
/// CPUs. [any]
///
/// x86: FTZ and DAZ of MXCSR. ARM: FZ of FPCR. WebAssembly has no such mode; there, kernels with feedback flush their
/// own state.
class DenormalGuard {
 public:
    DenormalGuard() RTA_NONBLOCKING : previous_{mode()} { set_mode(previous_ | kFlushDenormals); }
    ~DenormalGuard() RTA_NONBLOCKING { set_mode(previous_); }
    DenormalGuard(const DenormalGuard&) = delete;
    DenormalGuard& operator=(const DenormalGuard&) = delete;

    /// Returns true if the target CPU has such a mode.
    [[nodiscard]] static constexpr bool supported() { return kFlushDenormals != 0; }

 private:
#if defined(__SSE2__)
    using Mode = std::uint32_t;
    static constexpr Mode kFlushDenormals = (1U << 15U) | (1U << 6U);  // FTZ: results; DAZ: operands
    static Mode mode() RTA_NONBLOCKING { return _mm_getcsr(); }
    static void set_mode(Mode mode) RTA_NONBLOCKING { _mm_setcsr(mode); }
#elif defined(__aarch64__)
    using Mode = std::uint64_t;
    static constexpr Mode kFlushDenormals = 1ULL << 24U;  // FZ: operands and results
    static Mode mode() RTA_NONBLOCKING {
        Mode mode = 0;
        asm volatile("mrs %0, fpcr" : "=r"(mode));
        return mode;
    }
    static void set_mode(Mode mode) RTA_NONBLOCKING { asm volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }
#elif defined(__arm__) && defined(__ARM_FP)
    using Mode = std::uint32_t;
    static constexpr Mode kFlushDenormals = 1U << 24U;  // FZ: operands and results
    static Mode mode() RTA_NONBLOCKING {
        Mode mode = 0;
        asm volatile("vmrs %0, fpscr" : "=r"(mode));
        return mode;
    }
    static void set_mode(Mode mode) RTA_NONBLOCKING { asm volatile("vmsr fpscr, %0" : : "r"(mode) : "memory"); }
#else
    using Mode = std::uint32_t;
    static constexpr Mode kFlushDenormals = 0;
    static Mode mode() RTA_NONBLOCKING { return 0; }
    static void set_mode(Mode) RTA_NONBLOCKING {}
#endif

    Mode previous_;
};

}  // namespace rta
