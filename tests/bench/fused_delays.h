// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rta::bench {

/// Sums delays of one signal, each through a gain: the computation of the graph of delay_bench as a single loop without
/// an engine, for comparison.
class FusedDelays {
 public:
    struct Delay {
        std::uint32_t frames;
        float factor;
        std::vector<float> taps;  ///< oldest sample first, around `frames`; empty: a whole number of frames
    };
    /// All delays have the same feedback and mix. `capacity` is a multiple of 64, at least the longest delay.
    FusedDelays(std::vector<Delay> delays, std::uint32_t capacity, float feedback, float mix);

    /// Renders the next 64 frames.
    void render(std::string_view simd_target, const float* in, float* out);

    static constexpr std::size_t kFrames = 64;

    std::vector<Delay> delays;
    std::vector<std::vector<float>> lines;
    std::uint32_t capacity;
    float feedback;
    float mix;
    std::uint32_t position = 0;
};

}  // namespace rta::bench
