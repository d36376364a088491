// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "engine/measurements.h"
#include "graph/level_tap.h"

/// Measured levels as the protocol has them. [any]
namespace rta {

inline constexpr float kLevelFloorDb = -150.0F;       ///< reported for all lower levels
inline constexpr float kLargestReductionDb = 120.0F;  ///< reported for all larger gain reductions

[[nodiscard]] inline float level_db(double gain) {
    const double db = 20.0 * std::log10(gain);  // of 0: minus infinity
    return std::max(kLevelFloorDb, static_cast<float>(db));
}

[[nodiscard]] inline double rms_of(const MeasuredLevels::Channel& channel) {
    const double mean =
        channel.frame_count == 0 ? 0.0 : channel.sum_of_squares / static_cast<double>(channel.frame_count);
    // Squares beyond the range of a float would put the RMS above the peak.
    return std::min(std::sqrt(mean), static_cast<double>(channel.peak));
}

[[nodiscard]] inline float reduction_db(float gain) {
    const double db = -20.0 * std::log10(static_cast<double>(gain));  // of 0: infinity
    // Of 1: -0.
    return std::max(0.0F, std::min(static_cast<float>(db), kLargestReductionDb));
}

/// Adds measurements, channel by channel.
inline void add_channels(const std::vector<MeasuredLevels::Channel>& taken, std::vector<MeasuredLevels::Channel>& sum) {
    sum.resize(taken.size());
    for (std::size_t i = 0; i < taken.size(); ++i) {
        sum[i].peak = std::max(sum[i].peak, taken[i].peak);
        sum[i].true_peak = std::max(sum[i].true_peak, taken[i].true_peak);
        sum[i].sum_of_squares += taken[i].sum_of_squares;
        sum[i].frame_count += taken[i].frame_count;
    }
}

/// Adds a measurement of one of the channels.
inline void add_record(const LevelRecord& record, std::vector<MeasuredLevels::Channel>& channels) {
    MeasuredLevels::Channel& channel = channels[record.channel];
    channel.peak = std::max(channel.peak, record.peak);
    channel.sum_of_squares += record.sum_of_squares;
    channel.frame_count += record.channel_frame_count;
}

}  // namespace rta
