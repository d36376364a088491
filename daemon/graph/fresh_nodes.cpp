// SPDX-License-Identifier: MIT
#include "graph/fresh_nodes.h"

#include <set>
#include <variant>

namespace rta {

std::vector<std::string> fresh_nodes(std::span<const Edit> edits, const AudioGraph& graph,
                                     const NodeRegistry& registry) {
    std::set<std::string> fresh;
    for (const Edit& edit : edits) {
        if (const auto* add = std::get_if<AddNode>(&edit)) {
            const NodeType* const type = registry.find(add->type);
            if (type != nullptr && type->remembers_input) fresh.insert(add->name);
        } else if (const auto* change = std::get_if<ChangeSettings>(&edit)) {
            const GraphNode* const node = graph.find(change->node);
            if (node != nullptr && node->description->type->remembers_input) fresh.insert(change->node);
        } else if (const auto* remove = std::get_if<RemoveNode>(&edit)) {
            fresh.erase(remove->name);
        }
    }
    return {fresh.begin(), fresh.end()};
}

}  // namespace rta
