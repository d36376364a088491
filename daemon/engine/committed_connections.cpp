// SPDX-License-Identifier: MIT
#include "engine/committed_connections.h"

#include "dsp/math.h"

namespace rta {
namespace {

CommittedConnection committed_connection(NodeId to, const IncomingConnection& incoming, std::uint32_t delay_frames) {
    return {.key = {{to, incoming.to_port}, incoming.from},
            .delay_frames = delay_frames,
            .gain = dsp::gain_from_db(incoming.gain_db)};
}

}  // namespace

std::vector<CommittedConnection> committed_connections(const AudioGraph& graph,
                                                       std::span<const std::uint32_t> delays_frames) {
    std::vector<CommittedConnection> connections;
    connections.reserve(graph.connection_count());
    auto delay = delays_frames.begin();
    for (const auto& node : graph.nodes()) {
        for (const IncomingConnection& incoming : node->incoming)
            connections.push_back(committed_connection(node->id, incoming, delays_frames.empty() ? 0 : *delay++));
    }
    return connections;
}

std::vector<CommittedConnection> changed_connections(const AudioGraph& before, std::span<const CommittedConnection> old,
                                                     const AudioGraph& graph) {
    std::vector<CommittedConnection> connections;
    connections.reserve(graph.connection_count());
    std::size_t index = 0;  // in `before`
    auto next = old.begin();
    for (std::size_t i = 0; i < graph.node_count(); ++i) {
        const NodeId id = graph.node_ids()[i];
        while (index < before.node_count() && before.node_ids()[index] < id) ++index;
        while (next != old.end() && next->key.to.node < id) ++next;
        if (index < before.node_count() && before.nodes()[index] == graph.nodes()[i]) {
            for (; next != old.end() && next->key.to.node == id; ++next) connections.push_back(*next);
            continue;
        }
        for (const IncomingConnection& incoming : graph.nodes()[i]->incoming)
            connections.push_back(committed_connection(id, incoming, 0));
    }
    return connections;
}

}  // namespace rta
