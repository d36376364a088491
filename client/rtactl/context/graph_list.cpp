// SPDX-License-Identifier: MIT
#include "rtactl/context/graph_list.h"

#include "rtactl/drawing/graph_table.h"

namespace rta::rtactl {

Result<void> list_graph(Context& context) {
    if (!context.json()) {
        if (auto fetched = context.fetch_types(); !fetched) return fetched;
    }
    const auto response = context.query(get_graph_request(v1::GRAPH_CONTENT_MESSAGE));
    if (!response) return std::unexpected(response.error());
    if (!context.json()) print_graph(context.out(), response->get_graph().graph(), context.types());
    return {};
}

}  // namespace rta::rtactl
