// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "rtactl/context/context.h"

namespace rta::rtactl {

/// Changes the device to `device`, or opens the present one again (nullopt), and prints the device that runs then.
[[nodiscard]] Result<void> change_device(Context& context, const std::optional<std::string>& device);

}  // namespace rta::rtactl
