// SPDX-License-Identifier: MIT
#include "engine/committed_connections.h"

#include <algorithm>
#include <iterator>

#include "dsp/math.h"

namespace rta {
namespace {

CommittedConnection committed_connection(NodeId to, const IncomingConnection& incoming, std::uint32_t delay_frames) {
    return {.key = {{to, incoming.to_port}, incoming.from},
            .delay_frames = delay_frames,
            .gain = dsp::gain_from_db(incoming.gain_db)};
}

/// Removes the connections into `port` from the front of `list`, and returns them.
std::span<const CommittedConnection> take_port(std::span<const CommittedConnection>& list, PortRef port) {
    const auto end = std::ranges::find_if(list, [&](const auto& c) { return c.key.to != port; });
    const auto taken = list.first(static_cast<std::size_t>(end - list.begin()));
    list = list.subspan(taken.size());
    return taken;
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

std::vector<PortRef> differing_ports(std::span<const CommittedConnection> before,
                                     std::span<const CommittedConnection> after) {
    std::vector<PortRef> ports;
    while (!before.empty() || !after.empty()) {
        const PortRef port = before.empty()  ? after.front().key.to
                             : after.empty() ? before.front().key.to
                                             : std::min(before.front().key.to, after.front().key.to);
        if (!std::ranges::equal(take_port(before, port), take_port(after, port))) ports.push_back(port);
    }
    return ports;
}

ConnectionChange changed_connections(const AudioGraph& before, std::span<const CommittedConnection> old,
                                     const AudioGraph& graph) {
    ConnectionChange change;
    change.connections.reserve(graph.connection_count());
    constexpr auto node_of = [](const CommittedConnection& connection) { return connection.key.to.node; };
    const auto take = [&](auto end) {
        const auto taken = old.first(static_cast<std::size_t>(end - old.begin()));
        old = old.subspan(taken.size());
        return taken;
    };
    // What precedes the node stays; what leads into it is replaced.
    const auto replace = [&](NodeId id, std::span<const IncomingConnection> incoming) {
        const auto kept = take(std::ranges::lower_bound(old, id, {}, node_of));
        change.connections.insert(change.connections.end(), kept.begin(), kept.end());
        const auto replaced = take(std::ranges::upper_bound(old, id, {}, node_of));
        const std::size_t first = change.connections.size();
        for (const IncomingConnection& connection : incoming)
            change.connections.push_back(committed_connection(id, connection, 0));
        std::ranges::copy(differing_ports(replaced, std::span{change.connections}.subspan(first)),
                          std::back_inserter(change.ports));
    };
    std::size_t next = 0;  // in `before`
    for (std::size_t i = 0; i < graph.node_count(); ++i) {
        const NodeId id = graph.node_ids()[i];
        for (; next < before.node_count() && before.node_ids()[next] < id; ++next) replace(before.node_ids()[next], {});
        const bool stays = next < before.node_count() && before.node_ids()[next] == id;
        if (!stays || before.nodes()[next] != graph.nodes()[i]) replace(id, graph.nodes()[i]->incoming);
        next += stays ? 1U : 0U;
    }
    for (; next < before.node_count(); ++next) replace(before.node_ids()[next], {});
    change.connections.insert(change.connections.end(), old.begin(), old.end());
    return change;
}

}  // namespace rta
