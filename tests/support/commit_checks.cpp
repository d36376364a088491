// SPDX-License-Identifier: MIT
#include "support/commit_checks.h"

#include <algorithm>
#include <utility>

namespace rta::test {
namespace {

std::set<ConnectionKey> connections_of(const AudioGraph& graph) {
    std::set<ConnectionKey> connections;
    for (const auto& node : graph.nodes()) {
        for (const IncomingConnection& incoming : node->incoming)
            connections.insert({.to = {node->id, incoming.to_port}, .from = incoming.from});
    }
    return connections;
}

std::set<NodeId> nodes_that_feed(const std::set<NodeId>& sinks, const std::set<ConnectionKey>& connections) {
    std::set<NodeId> found = sinks;
    std::vector<NodeId> reached{sinks.begin(), sinks.end()};
    while (!reached.empty()) {
        const NodeId node = reached.back();
        reached.pop_back();
        for (auto next = connections.lower_bound({.to = {node, 0}, .from = {}});
             next != connections.end() && next->to.node == node; ++next) {
            if (found.insert(next->from.node).second) reached.push_back(next->from.node);
        }
    }
    return found;
}

std::string name_of(const ConnectionKey& connection) {
    return "the connection from node " + std::to_string(connection.from.node.value()) + " to node " +
           std::to_string(connection.to.node.value());
}

}  // namespace

void CommitChecks::committed(std::uint64_t revision, const AudioGraph& graph) {
    std::set<ConnectionKey> connections = connections_of(graph);
    for (const ConnectionKey& connection : connections) {
        if (!committed_.contains(connection)) periods_[connection].push_back({.added_in = revision});
    }
    for (const ConnectionKey& connection : committed_) {
        if (!connections.contains(connection)) periods_[connection].back().removed_in = revision;
    }
    committed_ = std::move(connections);
    nodes_ = {graph.node_ids().begin(), graph.node_ids().end()};
}

void CommitChecks::send_plan(std::uint64_t serial, const CompileRequest& contents) {
    Plan plan{.serial = serial, .nodes = contents.nodes.size(), .connections = contents.connections.size()};
    for (const CompileRequest::Connection& connection : contents.connections) {
        if (!connection.present) continue;
        plan.target.insert({.to = {contents.nodes[connection.to_node].id, connection.to_port},
                            .from = {contents.nodes[connection.from_node].id, connection.from_port}});
    }
    for (const CompileRequest::Node& node : contents.nodes) {
        if (node.is_device_sink && node.present) plan.sinks.insert(node.id);
    }
    plan.heard = nodes_that_feed(plan.sinks, plan.target);
    sent_.push_back(std::move(plan));
}

std::optional<std::string> CommitChecks::adopt(std::uint64_t serial) {
    std::optional<Plan> latest;
    while (!sent_.empty() && sent_.front().serial <= serial) {
        latest = std::move(sent_.front());
        sent_.pop_front();
    }
    if (!latest) return std::nullopt;
    const Plan before = std::exchange(adopted_, std::move(*latest));
    for (const ConnectionKey& connection : adopted_.target) {
        const NodeId node = connection.to.node;
        const bool arrives = !before.target.contains(connection);
        const bool is_audible = before.heard.contains(node) && adopted_.heard.contains(node) && nodes_.contains(node);
        if (arrives && is_audible &&
            std::ranges::none_of(periods_[connection], [this](const Period& p) { return is_heard(p); }))
            return name_of(connection) + " is heard before the transaction that adds it";
    }
    return std::nullopt;
}

bool CommitChecks::is_heard(const Period& period) const {
    return heard_.contains(period.added_in) && !heard_.contains(period.removed_in);
}

std::optional<std::string> CommitChecks::at_end(const AudioGraph& graph) const {
    if (!sent_.empty()) return "a plan has not been adopted";
    if (adopted_.target != connections_of(graph)) return "the target of the last round is not the committed graph";
    if (!std::ranges::equal(adopted_.sinks, graph.device_sinks()))
        return "the outputs in the target of the last round are not those of the committed graph";
    if (adopted_.nodes != graph.node_count() || adopted_.connections != graph.connection_count())
        return "the last plan contains more than the committed graph";
    return std::nullopt;
}

}  // namespace rta::test
