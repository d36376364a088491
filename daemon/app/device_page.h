// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "io/device_names.h"
#include "status/status.h"

namespace rta::app {

/// Returns the output of `rtad devices`: the devices by card, or by host API if they belong to no card, each with the
/// flags that open it, ready to be pasted into a shell.
[[nodiscard]] std::string device_page(std::span<const DeviceInfo> devices, const io::CardIds& ids);

}  // namespace rta::app
