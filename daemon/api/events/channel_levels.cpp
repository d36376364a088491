// SPDX-License-Identifier: MIT
#include "api/events/channel_levels.h"

#include <algorithm>
#include <cmath>

namespace rta::api {

float decibels(double gain) {
    const double db = 20.0 * std::log10(gain);  // of 0: minus infinity
    return std::max(Telemetry::kFloorDb, static_cast<float>(db));
}

void write_channel(const MeasuredLevels::Channel& channel, v1::ChannelLevel& message) {
    const auto peak = static_cast<double>(channel.peak);
    const double mean =
        channel.frame_count == 0 ? 0.0 : channel.sum_of_squares / static_cast<double>(channel.frame_count);
    message.set_peak_db(decibels(peak));
    // Squares beyond the range of a float would put the RMS above the peak.
    message.set_rms_db(decibels(std::min(std::sqrt(mean), peak)));
}

void add_channels(const std::vector<MeasuredLevels::Channel>& taken, std::vector<MeasuredLevels::Channel>& sum) {
    sum.resize(taken.size());
    for (std::size_t i = 0; i < taken.size(); ++i) {
        sum[i].peak = std::max(sum[i].peak, taken[i].peak);
        sum[i].true_peak = std::max(sum[i].true_peak, taken[i].true_peak);
        sum[i].sum_of_squares += taken[i].sum_of_squares;
        sum[i].frame_count += taken[i].frame_count;
    }
}

void deliver(const v1::Event& event, std::span<Telemetry::Subscriber* const> subscribers) {
    const auto shared = std::make_shared<const std::string>(event.SerializeAsString());
    for (Telemetry::Subscriber* subscriber : subscribers) subscriber->deliver_telemetry(shared);
}

}  // namespace rta::api
