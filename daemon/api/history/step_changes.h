// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/history/node_record.h"
#include "graph/audio_graph.h"
#include "graph/edit.h"
#include "text/error.h"

namespace rta::api {

/// A node before and after a step; null: it did not exist.
struct NodeChange {
    NodeIdentity node;
    std::shared_ptr<const NodeRecord> before;
    std::shared_ptr<const NodeRecord> after;

    [[nodiscard]] bool exists_only_once() const { return (before == nullptr) != (after == nullptr); }
};

/// Returns whether the step has changed more than parameters of the node. [any]
[[nodiscard]] bool changes_beyond_parameters(const NodeChange& change);

/// A connection by the identities of its nodes and the names of its ports.
struct ConnectionPlace {
    NodeIdentity to;
    std::string to_port;
    NodeIdentity from;
    std::string from_port;
    [[nodiscard]] auto operator<=>(const ConnectionPlace&) const = default;
};

/// The gain of a connection before and after a step; empty: none.
struct ConnectionChange {
    ConnectionPlace place;
    std::optional<float> before;
    std::optional<float> after;
};

/// What a graph has beside nodes and connections.
struct GraphRecord {
    bool latency_compensation = false;
    Annotation annotation{};
    [[nodiscard]] bool operator==(const GraphRecord&) const = default;
};

struct GraphChange {
    GraphRecord before;
    GraphRecord after;
};

/// Calls `visit` with a function for each part that steps change independently: it returns the part of a GraphRecord.
void for_each_graph_part(auto&& visit) {
    visit([](auto& record) -> auto& { return record.latency_compensation; });
    visit([](auto& record) -> auto& { return record.annotation.title; });
    visit([](auto& record) -> auto& { return record.annotation.description; });
}

/// What a step has changed, by identity.
struct StepChanges {
    std::vector<NodeChange> nodes{};              ///< by identity
    std::vector<ConnectionChange> connections{};  ///< by place
    std::optional<GraphChange> graph{};
    std::vector<NodeIdentity> concerned{};  ///< all of `nodes`, and the ends of `connections`; ascending

    /// Compares the graphs before and after a transaction. Takes time by difference_size(). [any]
    [[nodiscard]] static StepChanges between(const AudioGraph& before, const AudioGraph& after);
    /// Describes changes of parameters that have been made, with the values before all of them. [control]
    [[nodiscard]] static StepChanges of(const AudioGraph& after, std::span<const SetParameter> changes,
                                        std::span<const float> before);
    /// Takes the values after more changes of the same parameters. [control]
    void extend(const AudioGraph& after, std::span<const SetParameter> changes);
    /// Sorts, and computes `concerned`.
    void complete();

    [[nodiscard]] bool empty() const { return nodes.empty() && connections.empty() && !graph; }
    [[nodiscard]] std::size_t memory_bytes() const;
    [[nodiscard]] const NodeChange* find(NodeIdentity node) const;
    [[nodiscard]] const ConnectionChange* find(const ConnectionPlace& place) const;
    [[nodiscard]] bool concerns(NodeIdentity node) const;
    /// Returns whether both concern a node.
    [[nodiscard]] bool shares_nodes(const StepChanges& other) const;
};

/// Returns the connections to a node, with their gains; if `source` is given, only those from that node. [any]
[[nodiscard]] std::vector<std::pair<ConnectionPlace, float>> incoming_of(const AudioGraph& graph, const GraphNode& node,
                                                                         std::optional<NodeId> source = {});

}  // namespace rta::api
