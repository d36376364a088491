// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rta/v1/control.pb.h"
#include "status/status.h"

namespace rta::api {

// The status model on the wire: every field that a status struct lists sets the field of the same name. [control]

void to_wire(const DeviceStatus& device, v1::DeviceState& message);
void to_wire(const EngineStatus& engine, v1::EngineState& message);
void to_wire(const XrunCounts& counts, v1::XrunCounts& message);
void to_wire(const LoadStatus& load, std::uint64_t frame, v1::Load& message);
void to_wire(const RealtimeStatus& realtime, v1::RealtimeState& message);
void to_wire(const StoreStatus& store, v1::StoreState& message);
void to_wire(const DeviceInfo& device, v1::Device& message);

/// Replaces every byte that is not valid UTF-8 with U+FFFD. Protobuf cannot parse a message whose strings are not
/// UTF-8, and device names and paths come from outside.
[[nodiscard]] std::string valid_utf8(std::string_view text);

}  // namespace rta::api
