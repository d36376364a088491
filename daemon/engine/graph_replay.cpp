// SPDX-License-Identifier: MIT
#include "engine/graph_replay.h"

#include <utility>

#include "engine/draft.h"
#include "engine/node_builder.h"

namespace rta {

Expected<void> GraphReplay::apply(Edit edit) {
    static const NodeInstances none;
    const auto nodes = NodeBuilder{registry_, config_}.describe(edit);
    if (!nodes) return std::unexpected(nodes.error());
    Draft draft{.graph = std::move(graph_),
                .next_id = next_id_,
                .instances = &none,
                .limits = GraphLimits::widest(),
                .before = {}};
    auto applied = draft.apply(edit, 0, *nodes);
    graph_ = std::move(draft.graph);
    next_id_ = draft.next_id;
    return applied;
}

}  // namespace rta
