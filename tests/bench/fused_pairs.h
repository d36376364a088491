// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rta::bench {

/// Sums sines, each through a gain: the computation of the graph of engine_bench as a single, optimised loop without an
/// engine, for comparison.
struct FusedPairs {
    std::vector<std::uint64_t> phases;      ///< in 2^-64 cycles
    std::vector<std::uint64_t> increments;  ///< per frame
    std::vector<float> factors;             ///< level of the sine times the gain
    /// Renders `frames` frames, a multiple of 64. The sine uses fused multiply-add, like the kernels of the engine.
    /// With `fused` the sum uses it too; the engine rounds the product first.
    void render(std::string_view simd_target, bool fused, float* out, std::size_t frames);
};

/// Computes out = values[0] * factors[0] + values[1] * factors[1] + ... for each of `frames` frames, a multiple of 64:
/// constants through gains, summed in a single loop.
void sum_products(std::string_view simd_target, const float* values, const float* factors, std::size_t count,
                  float* out, std::size_t frames);

}  // namespace rta::bench
