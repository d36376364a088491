// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "dsp/filter_kernels.h"

namespace rta::bench {

/// Second-order sections in series over one channel: the computation of the graphs of filter_bench as a single loop
/// without an engine, for comparison.
struct FusedFilters {
    static constexpr std::size_t kFrames = 64;

    std::vector<dsp::BiquadCoefficients> sections;
    std::vector<dsp::BiquadState> states;  ///< of all channels, channel by channel

    /// Filters kFrames frames of channel `channel` in place.
    void render(std::string_view simd_target, std::size_t channel, float* samples);
};

}  // namespace rta::bench
