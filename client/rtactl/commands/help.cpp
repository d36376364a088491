// SPDX-License-Identifier: MIT
#include "rtactl/context/dispatch.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_help(Context& context, const Arguments& arguments) {
    std::vector<std::string> words = arguments.words;
    words.emplace_back("--help");
    const auto invocation = parse_invocation(context.commands(), words, context.place());
    if (invocation) return dispatch(context, *invocation);
    // A command of the other place can be explained, too.
    const Place other = context.place() == Place::shell ? Place::command_line : Place::shell;
    const auto elsewhere = parse_invocation(context.commands(), words, other);
    if (!elsewhere) return std::unexpected(invocation.error());
    return dispatch(context, *elsewhere);
}

}  // namespace

extern constinit const Command kHelp = checked({
    .position = 700,
    .name = "help",
    .arguments = {Argument{"COMMAND", Expects::command, 0, 2}},
    .help = "List the commands, or explain one.",
    .example = "rtactl help graph save",
    .in_transaction = InTransaction::control,
    .connects = false,
    .run = run_help,
});

}  // namespace rta::rtactl::commands
