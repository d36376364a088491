// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_abort(Context& context, const Arguments&) {
    if (!context.transaction()) return usage_error("no transaction to abort");
    context.transaction().reset();
    return {};
}

}  // namespace

extern constinit const Command kAbort = checked({
    .position = 630,
    .name = "abort",
    .help = "Discard the edits since begin.",
    .example = "abort",
    .place = Place::shell,
    .in_transaction = InTransaction::control,
    .run = run_abort,
});

}  // namespace rta::rtactl::commands
