// SPDX-License-Identifier: MIT
#include "rtactl/context/switches.h"

namespace rta::rtactl::commands {

extern constinit const Command kUnmute = checked({
    .position = 310,
    .name = "unmute",
    .arguments = {Argument{"NODE", Expects::muted_node, 0}},
    .help = "Unmute a node or the device output.",
    .example = "rtactl unmute\n"
               "rtactl unmute vol",
    .options = kEditOptions,
    .in_transaction = InTransaction::collected,
    .run = [](Context& context, const Arguments& arguments) { return set_muted(context, arguments, false); },
});

}  // namespace rta::rtactl::commands
