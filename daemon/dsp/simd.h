// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

/// The kernels (dsp/kernels.h, dsp/filter_kernels.h) are compiled for several SIMD targets, and the best that the CPU
/// runs is chosen before main(), in all tables at once. Targets differ by roundings at most; another one is chosen to
/// test that, and to measure.
namespace rta::dsp {

/// Names of the targets that this build has and this CPU runs, best first: of "avx3" (AVX-512), "avx2", "sse4", "neon",
/// "wasm". Never empty. [control]
[[nodiscard]] std::vector<std::string_view> simd_targets();

/// The one in use. [any]
[[nodiscard]] std::string_view simd_target();

/// Uses the target called `name` from now on; false, and nothing changes, if it is not one of simd_targets(). While
/// there is no audio thread. [control]
[[nodiscard]] bool use_simd_target(std::string_view name);

}  // namespace rta::dsp
