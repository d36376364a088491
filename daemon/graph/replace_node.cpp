// SPDX-License-Identifier: MIT
// AudioGraph::replace_node(): a node gets other settings, and keeps its connections.
#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/audio_graph.h"
#include "text/quoting.h"
#include "text/sort_range.h"

namespace rta {
namespace {

/// "a, b and 3 more".
std::string listed(std::span<const std::string> all) {
    constexpr std::size_t kMostListed = 8;
    std::string text;
    for (const std::string& one : all.first(std::min(all.size(), kMostListed)))
        text.append(text.empty() ? "" : ", ").append(one);
    return all.size() > kMostListed ? text + " and " + std::to_string(all.size() - kMostListed) + " more" : text;
}

}  // namespace

Expected<void> AudioGraph::replace_node(NodeId id, std::shared_ptr<const NodeDescription> description) {
    const auto node = require(description->name);
    if (!node) return std::unexpected(node.error());
    const GraphNode old = **node;

    if (auto good = check_ports(old, description->layout); !good) return good;
    // Edits a copy of the node and its neighbours only.
    AudioGraph changed = with_neighbours(old);
    auto parameters = description->parameter_values({});
    if (!parameters) return std::unexpected(std::move(parameters.error()));
    for (std::size_t i = 0; i < old.parameters.size(); ++i) {
        const auto index = description->layout.find_parameter(old.description->layout.parameters[i].name);
        if (!index) continue;
        // The range may depend on the settings.
        auto good = rta::check_parameter(description->layout.parameters[*index], old.parameters[i], old.name());
        if (!good) return good;
        (*parameters)[*index] = old.parameters[i];
    }
    if (auto removed = changed.remove_node(old.name()); !removed) return removed;
    if (auto added = changed.add_node(id, std::move(description), std::move(*parameters), old.identity); !added)
        return added;
    for (const IncomingConnection& connection : old.incoming) {
        const std::string to = old.name() + ":" + old.description->layout.inputs[connection.to_port].name;
        if (auto good = changed.connect(output_name(connection.from), to, connection.gain_db); !good)
            return std::unexpected(std::move(good.error()));
    }
    for (const NodeId target : old.targets()) {
        const GraphNode& destination = *find(target);
        for (const IncomingConnection& connection : destination.incoming) {
            if (connection.from.node != old.id) continue;
            const std::string from = old.name() + ":" + old.description->layout.outputs[connection.from.port].name;
            auto good = changed.connect(from, input_name({target, connection.to_port}), connection.gain_db);
            if (!good) return std::unexpected(std::move(good.error()));
        }
    }
    document_bytes_ = changed.document_bytes_;
    memory_bytes_ = changed.memory_bytes_;
    erase(index_of(old.id));
    push_back(std::move(changed.nodes_.back()));
    changed.nodes_.pop_back();
    for (auto& neighbour : changed.nodes_) nodes_[index_of(neighbour->id)] = std::move(neighbour);
    return {};
}

Expected<void> AudioGraph::check_ports(const GraphNode& node, const NodeLayout& layout) const {
    std::vector<std::string> cut_off;
    const NodeLayout& old = node.description->layout;
    for (const IncomingConnection& connection : node.incoming) {
        const std::string_view port = old.inputs[connection.to_port].name;
        if (NodeLayout::find_port(layout.inputs, port)) continue;
        cut_off.push_back(output_name(connection.from) + " -> " + node.name() + ":" + std::string{port});
    }
    for (const NodeId target : node.targets()) {
        for (const IncomingConnection& connection : find(target)->incoming) {
            if (connection.from.node != node.id) continue;
            const std::string_view port = old.outputs[connection.from.port].name;
            if (NodeLayout::find_port(layout.outputs, port)) continue;
            cut_off.push_back(node.name() + ":" + std::string{port} + " -> " +
                              input_name({target, connection.to_port}));
        }
    }
    if (cut_off.empty()) return {};
    return fail(ErrorCode::failed_precondition,
                "node " + quoted(node.name()) + ": the settings would remove ports that are connected: " +
                    listed(cut_off) + "; disconnect them first, which may be part of the same transaction");
}

AudioGraph AudioGraph::with_neighbours(const GraphNode& node) const {
    std::vector<NodeId> ids = node.outgoing;
    ids.push_back(node.id);
    for (const IncomingConnection& connection : node.incoming) ids.push_back(connection.from.node);
    sort_range(ids);
    ids.erase(std::ranges::unique(ids).begin(), ids.end());
    AudioGraph part;
    part.connection_count_ = connection_count_;
    part.document_bytes_ = document_bytes_;
    part.memory_bytes_ = memory_bytes_;
    for (const NodeId id : ids) {
        part.push_back(nodes_[index_of(id)]);
    }
    return part;
}

}  // namespace rta
