// SPDX-License-Identifier: MIT
#include "rtactl/context/undo_call.h"

namespace rta::rtactl::commands {

extern constinit const Command kUndo = checked({
    .position = 340,
    .name = "undo",
    .arguments = {Argument{"N", Expects::text, 0}},
    .help = "Undo your latest change of the graph, or the latest N.",
    .details =
        "A step is a transaction, or changes of the same parameters in quick succession. All steps are undone in one\n"
        "transaction, which crossfades as any other. Parameters that others have set since keep their values. If others\n"
        "have changed the same nodes or connections since, nothing is undone unless --force undoes these changes too.\n"
        "The history belongs to the daemon; with --state-dir, it survives restarts. Volume, mute, panic and the device\n"
        "are not part of it.",
    .example = "rtactl undo\n"
               "rtactl undo 3 --force",
    .options = kUndoOptions,
    .run = call_undo<false>,
});

}  // namespace rta::rtactl::commands
