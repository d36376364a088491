// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_begin(Context& context, const Arguments&) {
    if (context.transaction()) {
        return usage_error("a transaction is already open, since line " +
                           std::to_string(context.transaction()->begin_line) + ": commit or abort first");
    }
    context.transaction() = PendingTransaction{.begin_line = context.line, .options = context.edit_options};
    return {};
}

}  // namespace

extern constinit const Command kBegin = checked({
    .position = 610,
    .name = "begin",
    .help = "Start a transaction.",
    .details = "The edits that follow are collected. commit applies them together, abort discards them. The options\n"
               "apply to the commit.",
    .example = "begin",
    .options = kEditOptions,
    .place = Place::shell,
    .in_transaction = InTransaction::control,
    .run = run_begin,
});

}  // namespace rta::rtactl::commands
