// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "dsp/filter_kernels.h"

namespace rta::bench {

/// Second-order sections in series over one channel, as one loop without an engine: what the graphs of filter_bench
/// compute. It shows what the graph costs.
struct FusedFilters {
    static constexpr std::size_t kFrames = 64;

    std::vector<dsp::BiquadCoefficients> sections;
    std::vector<dsp::BiquadState> states;  ///< of all channels, one channel's after the other's

    /// Filters kFrames frames of channel `channel` in place.
    void render(std::string_view simd_target, std::size_t channel, float* samples);
};

}  // namespace rta::bench
