// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "rt/annotations.h"

namespace rta::dsp {

/// Tables of a real FFT; the terms are explained in dsp/fft_kernels.cpp. w(b) is the twiddle factor of block b.
struct FftTables {
    /// Rows of a line: real and imaginary parts of w(b), of w(2 b), and of their product.
    static constexpr std::size_t kRows = 6;
    /// Columns of a line: consecutive blocks.
    static constexpr std::size_t kBlocksPerLine = 4;

    std::size_t slots = 0;  ///< half of the points: a power of two from 16 on
    /// A line for each leaf. w(0) is 1.
    const float* lines = nullptr;
    /// As many rows for each leaf, with a column for each lane: for the blocks of the last level in the order of their lanes.
    const float* leaves = nullptr;
};

/// Two spectra of a sum of products. Each pointer is to one float for each slot.
struct FftProduct {
    const float* a_re;
    const float* a_im;
    const float* b_re;
    const float* b_im;
};

/// FFT loops, compiled for one SIMD target; dsp/real_fft.h describes what they compute. All [any].
///
/// The order of a spectrum depends on the target. Pointers need no alignment; transforms are fastest if all are aligned
/// to 64 bytes.
struct FftKernels {
    /// Returns the width of the vectors that transform that number of slots: 4, 8 or 16 lanes. A leaf has four vectors.
    std::size_t (*lanes)(std::size_t slots) RTA_NONBLOCKING;
    /// Returns the block of the last level that is in lane `lane` of a leaf, relative to the first one of the leaf.
    std::size_t (*block_of_lane)(std::size_t lanes, std::size_t lane) RTA_NONBLOCKING;
    /// Reads 2 x slots samples. `re` and `im` may be the first and the second half of `in`.
    void (*forward)(const FftTables& tables, const float* in, float* re, float* im) RTA_NONBLOCKING;
    /// Overwrites `re` and `im`. `out` may consist of `re` and `im`, in this order.
    void (*inverse)(const FftTables& tables, float* re, float* im, float* out) RTA_NONBLOCKING;
    /// re, im += the sum of the products. Slot 0 contains two real numbers.
    void (*multiply_accumulate)(const FftProduct* products, std::size_t count, float* re, float* im,
                                std::size_t slots) RTA_NONBLOCKING;
};

namespace detail {
/// Kernels of the target in use. Written by use_simd_target() only.
extern const FftKernels* g_fft_kernels;
/// Selects the FFT kernels; part of use_simd_target(). `target` is one of simd_targets().
void use_fft_kernels(std::string_view target);
}  // namespace detail

/// Returns the FFT kernels of the target in use. They exist as long as the program.
[[nodiscard]] inline const FftKernels& fft_kernels() RTA_NONBLOCKING { return *detail::g_fft_kernels; }

}  // namespace rta::dsp
