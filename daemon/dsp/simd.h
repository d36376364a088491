// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

/// The kernels (dsp/kernels.h, dsp/filter_kernels.h, dsp/fft_kernels.h) are compiled for several SIMD targets. The best
/// target that the CPU supports is selected for all tables before main(). Results of targets differ by rounding errors
/// at most. Tests and benchmarks select other targets.
namespace rta::dsp {

/// Returns the names of the targets that the build contains and the CPU supports, best first: "avx3" (AVX-512), "avx2",
/// "sse4", "neon", "wasm". Never empty. [control]
[[nodiscard]] std::vector<std::string_view> simd_targets();

/// Returns the target in use. [any]
[[nodiscard]] std::string_view simd_target();

/// Selects the target `name`. Returns false and changes nothing if it is not one of simd_targets(). Precondition: no
/// audio thread is running. [control]
[[nodiscard]] bool use_simd_target(std::string_view name);

}  // namespace rta::dsp
