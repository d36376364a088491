// SPDX-License-Identifier: MIT
#include "dsp/level.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "dsp/math.h"

namespace rta::dsp {

Level measure_level(std::span<const float> samples) RTA_NONBLOCKING {
    // Sums of their own, so that the loop vectorises without anything being added in another order.
    constexpr std::size_t kLanes = 8;
    std::array<float, kLanes> peaks{};
    std::array<float, kLanes> sums{};
    for (std::size_t begin = 0; begin + kLanes <= samples.size(); begin += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const float sample = finite_or_zero(samples[begin + lane]);
            const float magnitude = std::abs(sample);
            peaks[lane] = peaks[lane] < magnitude ? magnitude : peaks[lane];
            sums[lane] += sample * sample;
        }
    }
    Level level;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        level.peak = std::max(level.peak, peaks[lane]);
        level.sum_of_squares += sums[lane];
    }
    return level;
}

}  // namespace rta::dsp
