// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/events/telemetry.h"
#include "engine/level_values.h"
#include "engine/measurements.h"
#include "rta/v1/control.pb.h"

namespace rta::api {

// What the events about levels have in common. [control]

void write_channel(const MeasuredLevels::Channel& channel, v1::ChannelLevel& message);
/// Returns the rate for a client that wants this one: if `rates`, a map by rate, has `maximum` others, the nearest of them.
[[nodiscard]] float nearest_rate(const auto& rates, float wanted_hz, std::size_t maximum) {
    if (rates.contains(wanted_hz) || rates.size() < maximum) return wanted_hz;
    const auto distance = [&](const auto& entry) { return std::abs(entry.first - wanted_hz); };
    return std::ranges::min_element(rates, {}, distance)->first;
}
/// Serialises the event once.
void deliver(const v1::Event& event, std::span<Telemetry::Subscriber* const> subscribers);

}  // namespace rta::api
