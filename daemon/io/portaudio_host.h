// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/device_host.h"

namespace rta::io {

/// The devices of PortAudio. Touches the library only once it is used: initialising it costs memory and time, and
/// host libraries below it talk. What they print to stderr meanwhile is caught and handed to `said`, a line each.
[[nodiscard]] std::unique_ptr<DeviceHost> make_portaudio_host(std::function<void(const std::string& line)> said);

}  // namespace rta::io
