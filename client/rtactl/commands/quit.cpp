// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_quit(Context& context, const Arguments&) {
    context.quit = true;
    return {};
}

}  // namespace

extern constinit const Command kQuit = checked({
    .position = 640,
    .name = "quit",
    .help = "Exit the shell.",
    .example = "quit",
    .place = Place::shell,
    .in_transaction = InTransaction::control,
    .run = run_quit,
});

}  // namespace rta::rtactl::commands
