// SPDX-License-Identifier: MIT
#include "rtactl/context/undo_call.h"

namespace rta::rtactl::commands {

extern constinit const Command kRedo = checked({
    .position = 350,
    .name = "redo",
    .arguments = {Argument{"N", Expects::text, 0}},
    .help = "Apply again what you have undone last, or the last N steps.",
    .details = "A new change of yours ends this: what was undone before can then no longer be applied again.",
    .example = "rtactl redo\n"
               "rtactl redo 2",
    .options = kUndoOptions,
    .run = call_undo<true>,
});

}  // namespace rta::rtactl::commands
