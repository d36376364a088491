// SPDX-License-Identifier: MIT
#include "support/commit_checks.h"

#include <algorithm>

#include "graph/topological_order.h"

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
    Connections connections = connections_of(graph);
    for (const ConnectionKey& connection : connections) {
        if (!committed_.contains(connection)) periods_[connection].push_back({.added_in = revision});
    }
    for (const ConnectionKey& connection : committed_) {
        if (!connections.contains(connection)) periods_[connection].back().removed_in = revision;
    }
    nodes_ = {graph.node_ids().begin(), graph.node_ids().end()};
    graphs_.emplace_back(revision, connections);
    committed_ = std::move(connections);
}

void CommitChecks::send_plan(std::uint64_t serial, const CompileRequest& contents) {
    Plan plan{.serial = serial, .nodes = contents.nodes.size(), .connections = contents.connections.size()};
    for (const CompileRequest::Connection& connection : contents.connections) {
        const ConnectionKey key{.to = {contents.nodes[connection.to_node].id, connection.to_port},
                                .from = {contents.nodes[connection.from_node].id, connection.from_port}};
        plan.all.insert(key);
        if (connection.present) plan.target.insert(key);
    }
    for (const CompileRequest::Node& node : contents.nodes) {
        if (node.is_device_sink && node.present) plan.sinks.insert(node.id);
    }
    plan.heard = nodes_that_feed(plan.sinks, plan.target);
    sent_.push_back(std::move(plan));
}

std::optional<std::string> CommitChecks::adopt(std::uint64_t serial) {
    if (sent_.empty() || sent_.front().serial > serial) return std::nullopt;
    const Plan before = std::exchange(adopted_, {});
    while (!sent_.empty() && sent_.front().serial <= serial) {
        adopted_ = std::move(sent_.front());
        sent_.pop_front();
    }
    heard_.insert(heard_now_.begin(), heard_now_.end());
    std::optional<std::string> failure = check_arrivals(before);
    if (!failure && !heard_now_.empty() && !may_close_cycles(before)) failure = check_whole();
    heard_now_.clear();
    while (graphs_.size() > 1 && heard_.contains(graphs_.front().first)) graphs_.pop_front();
    return failure;
}

std::optional<std::string> CommitChecks::check_arrivals(const Plan& before) const {
    for (const ConnectionKey& connection : adopted_.target) {
        const NodeId node = connection.to.node;
        const bool is_audible = before.heard.contains(node) && adopted_.heard.contains(node) && nodes_.contains(node);
        if (is_audible && !before.target.contains(connection) && !is_due(connection))
            return name_of(connection) + " is heard before the transaction that adds it";
    }
    return std::nullopt;
}

/// Checks the transactions that are heard from this block on.
std::optional<std::string> CommitChecks::check_whole() const {
    const auto is_now = [this](const Period& period) {
        return heard_now_.contains(period.added_in) || heard_now_.contains(period.removed_in);
    };
    for (const auto& [connection, periods] : periods_) {
        const NodeId node = connection.to.node;
        if (!adopted_.heard.contains(node) || !nodes_.contains(node) || std::ranges::none_of(periods, is_now)) continue;
        if (is_due(connection) != adopted_.target.contains(connection))
            return "a transaction is heard without its change of " + name_of(connection);
    }
    return std::nullopt;
}

bool CommitChecks::may_close_cycles(const Plan& before) const {
    std::map<NodeId, std::uint32_t> indices;
    std::vector<Arc> arcs;
    const auto index_of = [&](NodeId node) {
        return indices.try_emplace(node, static_cast<std::uint32_t>(indices.size())).first->second;
    };
    const auto add = [&](const Connections& connections) {
        for (const ConnectionKey& connection : connections)
            arcs.push_back({index_of(connection.from.node), index_of(connection.to.node)});
    };
    add(before.all);
    add(adopted_.all);
    for (const auto& [revision, connections] : graphs_) add(connections);
    return !topological_order(static_cast<std::uint32_t>(indices.size()), arcs);
}

bool CommitChecks::is_due(const ConnectionKey& connection) const {
    const auto periods = periods_.find(connection);
    return periods != periods_.end() && std::ranges::any_of(periods->second, [this](const Period& period) {
               return heard_.contains(period.added_in) && !heard_.contains(period.removed_in);
           });
}

std::optional<std::string> CommitChecks::check_settled(const AudioGraph& graph) const {
    if (!sent_.empty()) return "a plan has not been adopted";
    if (adopted_.target != connections_of(graph)) return "the target of the last round is not the committed graph";
    if (!std::ranges::equal(adopted_.sinks, graph.device_sinks()))
        return "the outputs in the target of the last round are not those of the committed graph";
    if (adopted_.nodes != graph.node_count() || adopted_.connections != graph.connection_count())
        return "the last plan contains more than the committed graph";
    return std::nullopt;
}

}  // namespace rta::test
