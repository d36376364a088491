// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rta::bench {

/// Delays of one signal, each through a gain, all summed: what the graph of delay_bench computes, as one loop without
/// an engine. It shows what the graph costs.
class FusedDelays {
 public:
    struct Delay {
        std::uint32_t frames;
        float factor;
        std::vector<float> taps;  ///< oldest sample first, around `frames`; empty: a whole number of frames
    };
    /// All with the same feedback and mix; `capacity` is a multiple of 64 that holds the longest.
    FusedDelays(std::vector<Delay> delays, std::uint32_t capacity, float feedback, float mix);

    /// The next 64 frames.
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
