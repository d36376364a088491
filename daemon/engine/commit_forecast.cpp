// SPDX-License-Identifier: MIT
#include "engine/commit_forecast.h"

#include <algorithm>
#include <iterator>

#include "graph/topological_order.h"

namespace rta {
namespace {

/// Both are sorted.
bool share_one(const auto& a, const auto& b) {
    auto in_a = a.begin();
    auto in_b = b.begin();
    while (in_a != a.end() && in_b != b.end()) {
        if (*in_a == *in_b) return true;
        if (*in_a < *in_b) {
            ++in_a;
        } else {
            ++in_b;
        }
    }
    return false;
}

}  // namespace

bool CommitForecast::meets(const CommitForecast& other) const {
    return anywhere || other.anywhere || share_one(inputs, other.inputs) || share_one(parameters, other.parameters);
}

bool form_loop(const AudioGraph& before, const AudioGraph& after) {
    std::vector<NodeId> nodes;
    nodes.reserve(after.node_count());
    std::ranges::set_union(before.node_ids(), after.node_ids(), std::back_inserter(nodes));
    const auto index_of = [&](NodeId node) {
        return static_cast<std::uint32_t>(std::ranges::lower_bound(nodes, node) - nodes.begin());
    };
    std::vector<Arc> arcs;
    for (const AudioGraph* const graph : {&before, &after}) {
        for (const auto& node : graph->nodes()) {
            // Most nodes are shared by the graphs.
            if (graph == &after && before.find(node->id) == node.get()) continue;
            const std::uint32_t to = index_of(node->id);
            for (const IncomingConnection& connection : node->incoming)
                arcs.push_back({index_of(connection.from.node), to});
        }
    }
    return !topological_order(static_cast<std::uint32_t>(nodes.size()), arcs).has_value();
}

}  // namespace rta
