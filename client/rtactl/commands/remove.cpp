// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_remove(Context& context, const Arguments& arguments) {
    std::vector<v1::Edit> edits;
    for (const std::string& name : arguments.words) edits.emplace_back().mutable_remove_node()->set_name(name);
    return context.edit(std::move(edits));
}

}  // namespace

extern constinit const Command kRemove = checked({
    .position = 220,
    .name = "remove",
    .arguments = {Argument{"NAME", Expects::node, 1, kUnlimited}},
    .help = "Remove nodes and their connections.",
    .example = "rtactl remove osc vol",
    .in_transaction = InTransaction::collected,
    .run = run_remove,
});

}  // namespace rta::rtactl::commands
