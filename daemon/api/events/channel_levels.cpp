// SPDX-License-Identifier: MIT
#include "api/events/channel_levels.h"

#include <memory>

namespace rta::api {

void write_channel(const MeasuredLevels::Channel& channel, v1::ChannelLevel& message) {
    message.set_peak_db(level_db(static_cast<double>(channel.peak)));
    message.set_rms_db(level_db(rms_of(channel)));
}

void deliver(const v1::Event& event, std::span<Telemetry::Subscriber* const> subscribers) {
    const auto shared = std::make_shared<const std::string>(event.SerializeAsString());
    for (Telemetry::Subscriber* subscriber : subscribers) subscriber->deliver_telemetry(shared);
}

}  // namespace rta::api
