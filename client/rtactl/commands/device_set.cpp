// SPDX-License-Identifier: MIT
#include "rtactl/context/device_change.h"

namespace rta::rtactl::commands {

extern constinit const Command kDeviceSet = checked({
    .position = 112,
    .name = "device set",
    .arguments = {Argument{"NAME"}},
    .help = "Change the audio device, while the graph keeps running.",
    .details =
        "NAME is a value of rtad --device, such as jack or portaudio:hw:0; \"rtactl devices\" lists the devices. The current device fades out and is "
        "closed first; if the other one cannot be opened, it is opened again.",
    .example = "rtactl device set null",
    .run = [](Context& context, const Arguments& arguments) { return change_device(context, arguments.words[0]); },
});

}  // namespace rta::rtactl::commands
