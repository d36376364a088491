// SPDX-License-Identifier: MIT
#include "api/history/step_changes.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <unordered_map>
#include <utility>

namespace rta::api {
namespace {

using Connections = std::map<ConnectionPlace, float>;

void add_incoming(const AudioGraph& graph, const GraphNode& node, Connections& connections) {
    for (auto& [place, gain_db] : incoming_of(graph, node)) connections.emplace(std::move(place), gain_db);
}

std::shared_ptr<const NodeRecord> record_of(const GraphNode* node) {
    if (node == nullptr) return nullptr;
    return std::make_shared<NodeRecord>(NodeRecord{node->description, node->parameters});
}

/// The nodes that are not shared by two graphs, by identity.
struct Differing {
    const GraphNode* before = nullptr;
    const GraphNode* after = nullptr;

    /// A node may have been replaced by an equal one, or described by the same texts.
    [[nodiscard]] bool differs() const {
        if (before == nullptr || after == nullptr || before->parameters != after->parameters) return true;
        const NodeDescription& old = *before->description;
        const NodeDescription& now = *after->description;
        if (&old == &now) return false;
        return old.type != now.type || old.name != now.name || old.given_settings != now.given_settings ||
               old.annotation != now.annotation;
    }
};

std::unordered_map<std::uint64_t, Differing> differing_nodes(const AudioGraph& from, const AudioGraph& to) {
    std::unordered_map<std::uint64_t, Differing> nodes;
    const auto add_before = [&](const GraphNode& node) { nodes[std::to_underlying(node.identity)].before = &node; };
    auto before = from.nodes().begin();
    const auto end = from.nodes().end();
    for (const auto& after : to.nodes()) {  // both by id
        for (; before != end && (*before)->id < after->id; ++before) add_before(**before);
        const bool same_id = before != end && (*before)->id == after->id;
        if (!same_id || *before != after) {
            nodes[std::to_underlying(after->identity)].after = after.get();
            if (same_id) add_before(**before);
        }
        if (same_id) ++before;
    }
    for (; before != end; ++before) add_before(**before);
    return nodes;
}

/// Lists the connections that differ.
void compare(const Connections& before, const Connections& after, std::vector<ConnectionChange>& changes) {
    for (const auto& [place, gain_db] : before) {
        const auto kept = after.find(place);
        if (kept == after.end()) {
            changes.push_back({place, gain_db, {}});
        } else if (kept->second != gain_db) {
            changes.push_back({place, gain_db, kept->second});
        }
    }
    for (const auto& [place, gain_db] : after) {
        if (!before.contains(place)) changes.push_back({place, {}, gain_db});
    }
}

}  // namespace

bool changes_beyond_parameters(const NodeChange& change) {
    if (change.exists_only_once() || change.before->description == change.after->description)
        return change.exists_only_once();
    for (const auto kind : {Facet::Kind::name, Facet::Kind::settings, Facet::Kind::title, Facet::Kind::description}) {
        if (!same_facet(change.before.get(), change.after.get(), {kind})) return true;
    }
    return false;
}

std::vector<std::pair<ConnectionPlace, float>> incoming_of(const AudioGraph& graph, const GraphNode& node,
                                                           std::optional<NodeId> source) {
    std::vector<std::pair<ConnectionPlace, float>> places;
    for (const IncomingConnection& connection : node.incoming) {
        if (source && connection.from.node != *source) continue;
        const GraphNode& from = *graph.find(connection.from.node);
        places.emplace_back(
            ConnectionPlace{node.identity, std::string{node.description->layout.inputs[connection.to_port].name},
                            from.identity, std::string{from.description->layout.outputs[connection.from.port].name}},
            connection.gain_db);
    }
    return places;
}

StepChanges StepChanges::between(const AudioGraph& before, const AudioGraph& after) {
    StepChanges changes;
    Connections connections_before;
    Connections connections_after;
    for (const auto& [identity, node] : differing_nodes(before, after)) {
        if (node.differs())
            changes.nodes.push_back({NodeIdentity{identity}, record_of(node.before), record_of(node.after)});
        if (node.before != nullptr) add_incoming(before, *node.before, connections_before);
        if (node.after != nullptr) add_incoming(after, *node.after, connections_after);
    }
    compare(connections_before, connections_after, changes.connections);
    GraphChange graph{{before.latency_compensation(), before.annotation()},
                      {after.latency_compensation(), after.annotation()}};
    if (graph.before != graph.after) changes.graph = std::move(graph);
    changes.complete();
    return changes;
}

StepChanges StepChanges::of(const AudioGraph& after, std::span<const SetParameter> changes,
                            std::span<const float> before) {
    std::map<NodeIdentity, std::pair<std::shared_ptr<NodeRecord>, std::shared_ptr<NodeRecord>>> records;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const GraphNode* const node = after.find(changes[i].node);
        assert(node != nullptr && "the changes have been made");
        auto& [old_record, new_record] = records[node->identity];
        if (old_record == nullptr) {
            old_record = std::make_shared<NodeRecord>(NodeRecord{node->description, node->parameters});
            new_record = std::make_shared<NodeRecord>(*old_record);
        }
        if (const auto index = node->description->layout.find_parameter(changes[i].parameter))
            old_record->parameters[*index] = before[i];
    }
    StepChanges result;
    for (auto& [identity, record] : records)
        result.nodes.push_back({identity, std::move(record.first), std::move(record.second)});
    result.complete();
    return result;
}

void StepChanges::extend(const AudioGraph& after, std::span<const SetParameter> changes) {
    std::map<NodeIdentity, std::shared_ptr<NodeRecord>> records;
    for (const SetParameter& change : changes) {
        const GraphNode* const node = after.find(change.node);
        const NodeChange* const known = node == nullptr ? nullptr : find(node->identity);
        if (known == nullptr) continue;
        auto& record = records[node->identity];
        if (record == nullptr) record = std::make_shared<NodeRecord>(*known->after);
        if (const auto index = node->description->layout.find_parameter(change.parameter))
            record->parameters[*index] = node->parameters[*index];
    }
    for (NodeChange& change : nodes) {
        if (const auto record = records.find(change.node); record != records.end())
            change.after = std::move(record->second);
    }
}

void StepChanges::complete() {
    std::ranges::sort(nodes, {}, &NodeChange::node);
    std::ranges::sort(connections, {}, &ConnectionChange::place);
    concerned.clear();
    concerned.reserve(nodes.size() + 2 * connections.size());
    for (const NodeChange& change : nodes) concerned.push_back(change.node);
    for (const ConnectionChange& change : connections) {
        concerned.push_back(change.place.to);
        concerned.push_back(change.place.from);
    }
    std::ranges::sort(concerned);
    concerned.erase(std::ranges::unique(concerned).begin(), concerned.end());
    concerned.shrink_to_fit();
}

std::size_t StepChanges::memory_bytes() const {
    constexpr std::size_t kRecordBytes = sizeof(NodeRecord) + 48;  // with the counters, and the blocks of the allocator
    std::size_t bytes = sizeof *this + concerned.size() * sizeof(NodeIdentity);
    for (const NodeChange& change : nodes) {
        bytes += sizeof change;
        for (const auto* const record : {change.before.get(), change.after.get()}) {
            if (record == nullptr) continue;
            bytes += kRecordBytes + record->parameters.size() * sizeof(float);
        }
        // A description is shared with the graph, or with other steps.
        const NodeRecord& record = change.after != nullptr ? *change.after : *change.before;
        if (change.exists_only_once() || change.before->description != change.after->description)
            bytes += record.description->document_bytes;
    }
    for (const ConnectionChange& change : connections)
        bytes += sizeof change + change.place.to_port.size() + change.place.from_port.size();
    if (graph) {
        for (const GraphRecord* const record : {&graph->before, &graph->after})
            bytes += record->annotation.title.size() + record->annotation.description.size();
    }
    return bytes;
}

const NodeChange* StepChanges::find(NodeIdentity node) const {
    const auto found = std::ranges::lower_bound(nodes, node, {}, &NodeChange::node);
    return found != nodes.end() && found->node == node ? &*found : nullptr;
}

const ConnectionChange* StepChanges::find(const ConnectionPlace& place) const {
    const auto found = std::ranges::lower_bound(connections, place, {}, &ConnectionChange::place);
    return found != connections.end() && found->place == place ? &*found : nullptr;
}

bool StepChanges::concerns(NodeIdentity node) const { return std::ranges::binary_search(concerned, node); }

bool StepChanges::shares_nodes(const StepChanges& other) const {
    const bool smaller = concerned.size() < other.concerned.size();
    const StepChanges& few = smaller ? *this : other;
    const StepChanges& many = smaller ? other : *this;
    return std::ranges::any_of(few.concerned, [&](NodeIdentity node) { return many.concerns(node); });
}

}  // namespace rta::api
