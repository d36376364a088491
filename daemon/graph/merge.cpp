// SPDX-License-Identifier: MIT
#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include "graph/audio_graph.h"
#include "graph/node_structure.h"
#include "text/sort_range.h"

namespace rta {
namespace {

/// Three-way merge of one value: takes the changed value. Returns nullptr if both have changed it.
template <class T>
const T* merge_value(const T& base, const T& edited, const T& current) {
    if (edited == base) return &current;
    return current == base ? &edited : nullptr;
}

/// Visits the connections of one port and source in several sorted lists, in their common order.
class ConnectionCursor {
 public:
    using Place = std::tuple<std::uint32_t, PortRef>;

    explicit ConnectionCursor(std::span<const IncomingConnection> list) : rest_{list} {}

    [[nodiscard]] std::optional<Place> place() const {
        if (rest_.empty()) return std::nullopt;
        return Place{rest_.front().to_port, rest_.front().from};
    }
    /// Returns the gain of the connection at `at`, and moves on to the next one.
    std::optional<float> take(const Place& at) {
        if (place() != at) return std::nullopt;
        const float gain_db = rest_.front().gain_db;
        rest_ = rest_.subspan(1);
        return gain_db;
    }

 private:
    std::span<const IncomingConnection> rest_;
};

std::optional<std::vector<IncomingConnection>> merge_incoming(const GraphNode& base_node, const GraphNode& edited_node,
                                                              const GraphNode& current_node) {
    ConnectionCursor base{base_node.incoming};
    ConnectionCursor edited{edited_node.incoming};
    ConnectionCursor current{current_node.incoming};
    std::vector<IncomingConnection> merged;
    merged.reserve(edited_node.incoming.size() + current_node.incoming.size());
    while (true) {
        std::optional<ConnectionCursor::Place> next;
        for (const auto& place : {base.place(), edited.place(), current.place()}) {
            if (place && (!next || *place < *next)) next = place;
        }
        if (!next) return merged;
        const auto before = base.take(*next);
        const auto after = edited.take(*next);
        const auto now = current.take(*next);
        const auto* const gain_db = merge_value(before, after, now);
        if (gain_db == nullptr) return std::nullopt;
        if (*gain_db) merged.push_back({std::get<0>(*next), std::get<1>(*next), **gain_db});
    }
}

std::vector<NodeId> sorted(std::vector<NodeId> ids) {
    sort_range(ids);
    return ids;
}

/// The connections themselves are merged with their destinations, so this finds no conflict.
std::vector<NodeId> merge_outgoing(const GraphNode& base, const GraphNode& edited, const GraphNode& current) {
    const std::vector<NodeId> before = sorted(base.outgoing);
    const std::vector<NodeId> after = sorted(edited.outgoing);
    std::vector<NodeId> removed;
    std::vector<NodeId> merged;
    std::ranges::set_difference(before, after, std::back_inserter(removed));
    std::ranges::set_difference(sorted(current.outgoing), removed, std::back_inserter(merged));
    std::ranges::set_difference(after, before, std::back_inserter(merged));
    return merged;
}

/// Returns nothing if both changed the name, the settings or the same connection.
std::optional<GraphNode> merge_node(const GraphNode& base, GraphNode edited, const GraphNode& current) {
    const auto* const description = merge_value(base.description, edited.description, current.description);
    auto incoming = merge_incoming(base, edited, current);
    if (description == nullptr || !incoming) return std::nullopt;
    edited.incoming = std::move(*incoming);
    edited.outgoing = merge_outgoing(base, edited, current);
    edited.description = *description;
    for (std::size_t p = 0; p < edited.parameters.size(); ++p) {
        if (edited.parameters[p] == base.parameters[p]) edited.parameters[p] = current.parameters[p];
    }
    return edited;
}

}  // namespace

bool same_structure(const GraphNode& a, const GraphNode& b) {
    const auto same_connection = [](const IncomingConnection& one, const IncomingConnection& other) {
        return one.to_port == other.to_port && one.from == other.from && one.gain_db == other.gain_db;
    };
    return a.description == b.description && a.identity == b.identity && a.outgoing == b.outgoing &&
           std::ranges::equal(a.incoming, b.incoming, same_connection);
}

/// The differences between two graphs, by their nodes.
struct AudioGraph::Differences {
    struct Changed {
        const GraphNode* before;
        const GraphNode* after;
    };
    std::vector<Changed> changed;
    std::vector<const GraphNode*> removed;
    std::vector<const GraphNode*> added;

    Differences(const AudioGraph& base, const AudioGraph& edited) {
        auto before = base.nodes_.begin();
        for (const auto& after : edited.nodes_) {
            for (; before != base.nodes_.end() && (*before)->id < after->id; ++before) removed.push_back(before->get());
            if (before == base.nodes_.end() || (*before)->id != after->id) {
                added.push_back(after.get());
                continue;
            }
            if (*before != after) changed.push_back({before->get(), after.get()});
            ++before;
        }
        for (; before != base.nodes_.end(); ++before) removed.push_back(before->get());
    }
};

std::vector<std::string_view> AudioGraph::names_changed_since(const AudioGraph& base) const {
    const Differences differences{base, *this};
    std::vector<std::string_view> names;
    names.reserve(differences.removed.size() + differences.added.size());
    for (const GraphNode* const node : differences.removed) names.push_back(node->name());
    for (const GraphNode* const node : differences.added) names.push_back(node->name());
    for (const auto& [before, after] : differences.changed) {
        if (before->name() == after->name()) continue;
        names.push_back(before->name());
        names.push_back(after->name());
    }
    return names;
}

bool AudioGraph::merge(const AudioGraph& base, const AudioGraph& edited, const IdShift& shift) {
    const Differences differences{base, edited};
    defer_compaction();
    // First what frees names, then what takes them.
    for (const GraphNode* const node : differences.removed) {
        // A value that was set in the meantime does not keep a node.
        const GraphNode* const current = find(node->id);
        if (current == nullptr || !(current == node || same_structure(*current, *node))) return false;
        erase(index_of(node->id));
    }
    std::vector<std::shared_ptr<const GraphNode>> merged;
    merged.reserve(differences.changed.size());
    for (const auto& [before, after] : differences.changed) {
        const GraphNode* const current = find(before->id);
        if (current == nullptr) return false;
        auto node = merge_node(*before, shift.apply(*after), *current);
        if (!node) return false;
        // If one graph has renamed the node and the other one has changed the number of its connections.
        document_bytes_ += node->bytes_of_name() - current->bytes_of_name();
        document_bytes_ -= after->bytes_of_name() - before->bytes_of_name();
        if (node->name() != current->name()) ids_.remove(current->name(), node->id.value());
        merged.push_back(std::make_shared<GraphNode>(std::move(*node)));
    }
    for (auto& node : merged) {
        std::shared_ptr<const GraphNode>& current = nodes_[index_of(node->id)];
        if (node->name() != current->name()) {
            if (find(node->name()) != nullptr) return false;
            ids_.add(node->name(), node->id.value());
        }
        current = std::move(node);
    }
    for (const GraphNode* const node : differences.added) {
        if (find(node->name()) != nullptr) return false;
        push_back(std::make_shared<GraphNode>(shift.apply(*node)));
    }
    compact();
    connection_count_ += edited.connection_count_ - base.connection_count_;
    document_bytes_ += edited.document_bytes_ - base.document_bytes_;
    memory_bytes_ += edited.memory_bytes_ - base.memory_bytes_;
    if (edited.latency_compensation_ != base.latency_compensation_)
        latency_compensation_ = edited.latency_compensation_;
    document_bytes_ -= annotation_bytes(edited.annotation_) - annotation_bytes(base.annotation_);
    document_bytes_ -= annotation_bytes(annotation_);
    if (edited.annotation_.title != base.annotation_.title) annotation_.title = edited.annotation_.title;
    if (edited.annotation_.description != base.annotation_.description)
        annotation_.description = edited.annotation_.description;
    document_bytes_ += annotation_bytes(annotation_);
    return true;
}

GraphNode AudioGraph::IdShift::apply(GraphNode node) const {
    node.id = apply(node.id);
    // That of a node that was added is the value of an id.
    node.identity = NodeIdentity{apply(NodeId{std::to_underlying(node.identity)}).value()};
    for (IncomingConnection& connection : node.incoming) connection.from.node = apply(connection.from.node);
    for (NodeId& destination : node.outgoing) destination = apply(destination);
    return node;
}

}  // namespace rta
