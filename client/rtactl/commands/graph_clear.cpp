// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_graph_clear(Context& context, const Arguments&) {
    v1::Request request;
    request.mutable_apply_transaction()->mutable_graph();
    const auto response = context.change(std::move(request));
    if (!response) return std::unexpected(response.error());
    context.print_done(response->apply_transaction(), "removed all nodes and connections");
    return {};
}

}  // namespace

extern constinit const Command kGraphClear = checked({
    .position = 470,
    .name = "graph clear",
    .help = "Remove all nodes and connections.",
    .example = "rtactl graph clear",
    .run = run_graph_clear,
});

}  // namespace rta::rtactl::commands
