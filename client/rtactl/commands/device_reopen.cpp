// SPDX-License-Identifier: MIT
#include <optional>

#include "rtactl/context/device_change.h"

namespace rta::rtactl::commands {

extern constinit const Command kDeviceReopen = checked({
    .position = 114,
    .name = "device reopen",
    .help = "Close the audio device and open it again, or try now to open one that is lost.",
    .example = "rtactl device reopen",
    .run = [](Context& context, const Arguments&) { return change_device(context, std::nullopt); },
});

}  // namespace rta::rtactl::commands
