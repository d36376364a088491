// SPDX-License-Identifier: MIT
#include "rta/edits.h"
#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_disconnect(Context& context, const Arguments& arguments) {
    return context.edit({disconnect_edit(arguments.words[0], arguments.words[1])},
                        "disconnected " + arguments.words[0] + " -> " + arguments.words[1]);
}

}  // namespace

extern constinit const Command kDisconnect = checked({
    .position = 260,
    .name = "disconnect",
    .arguments = {Argument{"A", Expects::connected_output}, Argument{"B", Expects::connected_input}},
    .help = "Remove the connection A -> B, with a fade-out.",
    .example = "rtactl disconnect osc vol",
    .options = kEditOptions,
    .in_transaction = InTransaction::collected,
    .run = run_disconnect,
});

}  // namespace rta::rtactl::commands
