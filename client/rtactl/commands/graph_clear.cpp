// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_graph_clear(Context& context, const Arguments&) {
    v1::ApplyTransaction transaction;
    transaction.mutable_graph();
    if (auto applied = context.apply(std::move(transaction), {{"removed all nodes and connections"}}); !applied)
        return applied;
    context.print_undo_hint();
    return {};
}

}  // namespace

extern constinit const Command kGraphClear = checked({
    .position = 470,
    .name = "graph clear",
    .help = "Remove all nodes and connections.",
    .example = "rtactl graph clear",
    .options = kEditOptions,
    .run = run_graph_clear,
});

}  // namespace rta::rtactl::commands
