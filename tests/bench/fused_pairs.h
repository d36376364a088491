// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rta::bench {

/// Sines, each through a gain, all summed: what the graph of engine_bench computes, as one loop without an engine. The
/// best we could write; it shows what the graph costs.
struct FusedPairs {
    std::vector<std::uint64_t> phases;      ///< in 2^-64 cycles
    std::vector<std::uint64_t> increments;  ///< a frame
    std::vector<float> factors;             ///< level of the sine times the gain
    /// Renders `frames` frames, a multiple of 64. Fused multiply-add makes the sine, as in the engine's kernels; with
    /// `fused` it makes the sum too, where the engine rounds the product first.
    void render(std::string_view simd_target, bool fused, float* out, std::size_t frames);
};

/// out = values[0] * factors[0] + values[1] * factors[1] + ..., in each of `frames` frames, a multiple of 64: constants
/// through gains, summed, as one loop.
void sum_products(std::string_view simd_target, const float* values, const float* factors, std::size_t count,
                  float* out, std::size_t frames);

}  // namespace rta::bench
