// SPDX-License-Identifier: MIT
#include "rtactl/context/dispatch.h"

#include "rtactl/drawing/help_page.h"

namespace rta::rtactl {

Result<void> dispatch(Context& context, const Invocation& invocation) {
    if (invocation.help) {
        if (invocation.command != nullptr) {
            print_help(context.out(), *invocation.command);
        } else if (!invocation.group.empty()) {
            print_group_help(context.out(), context.commands(), invocation.group);
        } else {
            print_help(context.out(), context.commands(), context.place());
        }
        return {};
    }
    const Command& command = *invocation.command;
    if (context.transaction() && command.in_transaction == InTransaction::refused)
        return usage_error(std::string{command.name} + " is not allowed in a transaction: commit or abort first");
    auto options = read_edit_options(invocation.arguments);
    if (!options) return std::unexpected(std::move(options.error()));
    if (context.transaction() && options->given() && command.in_transaction != InTransaction::control) {
        return usage_error(std::string{kEditOptionNames} +
                           " apply to a whole transaction: give them to begin or to commit, not to " +
                           std::string{command.name});
    }
    context.edit_options = *options;
    return command.run(context, invocation.arguments);
}

}  // namespace rta::rtactl
