// SPDX-License-Identifier: MIT
#include "rtactl/context/graph_list.h"

namespace rta::rtactl::commands {

extern constinit const Command kList = checked({
    .position = 285,
    .name = "list",
    .help = "List the nodes, with the values that differ from their defaults, and the connections.",
    .details = "`rtactl get NODE` shows all values of a node.",
    .example = "rtactl list",
    .run = [](Context& context, const Arguments&) { return list_graph(context); },
});

}  // namespace rta::rtactl::commands
