// SPDX-License-Identifier: MIT
#include "rtactl/context/switches.h"

namespace rta::rtactl::commands {

extern constinit const Command kMute = checked({
    .position = 300,
    .name = "mute",
    .arguments = {Argument{"NODE", Expects::muted_node, 0}},
    .help = "Mute a node or the device output.",
    .details =
        "A node is muted by its parameter mute. The device output fades to silence while the graph continues to run.",
    .example = "rtactl mute\n"
               "rtactl mute vol",
    .options = kEditOptions,
    .in_transaction = InTransaction::collected,
    .run = [](Context& context, const Arguments& arguments) { return set_muted(context, arguments, true); },
});

}  // namespace rta::rtactl::commands
