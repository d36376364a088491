// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_rename(Context& context, const Arguments& arguments) {
    v1::Edit edit;
    edit.mutable_rename_node()->set_name(arguments.words[0]);
    edit.mutable_rename_node()->set_new_name(arguments.words[1]);
    return context.edit({std::move(edit)}, "renamed " + arguments.words[0] + " to " + arguments.words[1]);
}

}  // namespace

extern constinit const Command kRename = checked({
    .position = 230,
    .name = "rename",
    .arguments = {Argument{"A", Expects::node}, Argument{"B"}},
    .help = "Rename node A to B, without interrupting it.",
    .example = "rtactl rename osc tone",
    .options = kEditOptions,
    .in_transaction = InTransaction::collected,
    .run = run_rename,
});

}  // namespace rta::rtactl::commands
