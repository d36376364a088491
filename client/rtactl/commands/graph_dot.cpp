// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/drawing/dot.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_graph_dot(Context& context, const Arguments&) {
    if (context.json()) {
        const auto response = context.query(get_graph_request(v1::GRAPH_CONTENT_UNSPECIFIED));
        if (!response) return std::unexpected(response.error());
        return {};
    }
    if (auto fetched = context.fetch_types(); !fetched) return fetched;
    const auto response = context.query(get_graph_request(v1::GRAPH_CONTENT_MESSAGE));
    if (!response) return std::unexpected(response.error());
    context.out() << to_dot(response->get_graph().graph(), context.types());
    return {};
}

}  // namespace

extern constinit const Command kGraphDot = checked({
    .position = 410,
    .name = "graph dot",
    .help = "Print the graph in the DOT language of Graphviz.",
    .details = "Each node shows the values that differ from their defaults. With --json, prints the same response as\n"
               "graph show.",
    .example = "rtactl graph dot\n"
               "rtactl graph dot | dot -Tsvg -o graph.svg",
    .run = run_graph_dot,
});

}  // namespace rta::rtactl::commands
