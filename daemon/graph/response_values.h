// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <string>
#include <vector>

#include "text/error.h"

/// Frequency responses as the protocol has them; see rta.v1.GetFrequencyResponse. [any]
namespace rta {

inline constexpr std::size_t kAudibleCount = 961;
inline constexpr std::size_t kMostFrequencies = 2048;

/// Returns `count` frequencies from 20 Hz to 20 kHz with equal ratios.
[[nodiscard]] inline std::vector<float> audible_frequencies(double sample_rate_hz, std::size_t count) {
    constexpr double kLowest = 20.0;
    const double highest = std::min(20'000.0, 0.45 * sample_rate_hz);
    std::vector<float> frequencies_hz;
    for (std::size_t i = 0; i < count; ++i) {
        const double share = static_cast<double>(i) / static_cast<double>(count - 1);
        frequencies_hz.push_back(static_cast<float>(kLowest * std::pow(highest / kLowest, share)));
    }
    return frequencies_hz;
}

/// Returns fewer frequencies for long paths, which still draw a curve. `cost` is that of one frequency.
[[nodiscard]] inline std::size_t frequency_count(std::size_t cost) {
    constexpr std::size_t kMostCost = 8'000'000;  // half a second, for slow processors
    constexpr std::size_t kLeastCount = 61;
    std::size_t count = kAudibleCount;
    while (count > kLeastCount && count * cost > kMostCost) count = (count + 1) / 2;
    return count;
}

[[nodiscard]] inline float magnitude_db(const std::complex<double>& value) {
    constexpr double kFloorDb = -300.0;
    return static_cast<float>(std::max(20.0 * std::log10(std::abs(value)), kFloorDb));
}
[[nodiscard]] inline float phase_deg(const std::complex<double>& value) {
    return static_cast<float>(std::arg(value) * 180.0 / std::numbers::pi);
}

/// What a request names.
struct ResponseNames {
    bool node;
    bool from;
    bool to;
    bool channel;  ///< one of the channels
};
/// INVALID_ARGUMENT: too many frequencies; not either a node, or both ends of a path.
[[nodiscard]] inline Expected<void> check_response(std::size_t frequencies, const ResponseNames& named) {
    if (frequencies > kMostFrequencies) {
        return fail(ErrorCode::invalid_argument, "frequencies_hz has " + std::to_string(frequencies) +
                                                     " elements; at most " + std::to_string(kMostFrequencies) +
                                                     " are allowed");
    }
    const bool path = named.from && named.to;
    if (named.from != named.to || (path && named.node) || (!path && named.channel)) {
        return fail(ErrorCode::invalid_argument,
                    "expected either node, or from and to (with from_channel and to_channel, if needed)");
    }
    return {};
}

}  // namespace rta
