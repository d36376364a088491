// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "io/device_request.h"
#include "text/error.h"

namespace rta::app {

/// Returns the request for the device that a client names by a value of --device, with the other options of the daemon.
/// INVALID_ARGUMENT for what --device does not accept, and for files, which a client may not write. [control]
[[nodiscard]] Expected<io::DeviceRequest> requested_device(const std::string& device,
                                                           const io::DeviceRequest& configured);

}  // namespace rta::app
