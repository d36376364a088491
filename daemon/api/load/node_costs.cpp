// SPDX-License-Identifier: MIT
#include "api/load/node_costs.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rta::api {
namespace {

constexpr std::chrono::seconds kLongestMeasuring{1};

/// Calls `visit` for each port with the connections into it.
template <class Visit>
void visit_ports(const GraphNode& node, Visit visit) {
    for (auto from = node.incoming.begin(); from != node.incoming.end();) {
        const auto to = std::ranges::find_if(from, node.incoming.end(), [&](const IncomingConnection& connection) {
            return connection.to_port != from->to_port;
        });
        visit(from->to_port, std::span{from, to});
        from = to;
    }
}

}  // namespace

bool add_mixes(const GraphNode& node, std::int64_t sign, GraphCost& cost) {
    bool mixed = false;
    visit_ports(node, [&](std::uint32_t port, std::span<const IncomingConnection> sources) {
        if (sources.size() == 1 && sources.front().gain_db == 0.0F) return;
        mixed = true;
        const auto width = static_cast<std::int64_t>(node.description->layout.inputs[port].width);
        const auto audible = std::ranges::count_if(
            sources, [](const IncomingConnection& source) { return source.gain_db > kMinimumConnectionGainDb; });
        cost.mix_outputs += sign * width;
        cost.mix_inputs += sign * width * audible;
    });
    return mixed || !node.description->type->forwards_channels;
}

std::optional<NodeCosts::Cost> NodeCosts::find(std::uint64_t cost_class) const {
    const std::scoped_lock lock{mutex_};
    const auto found = costs_.find(cost_class);
    return found == costs_.end() ? std::nullopt : std::optional{found->second};
}

void NodeCosts::store(std::uint64_t cost_class, Cost cost) {
    const std::scoped_lock lock{mutex_};
    if (!costs_.insert_or_assign(cost_class, cost).second) return;
    order_.push_back(cost_class);
    if (order_.size() <= kMaximumClasses) return;
    costs_.erase(order_.front());
    order_.pop_front();
}

MixCost NodeCosts::mixes() const {
    const std::scoped_lock lock{mutex_};
    return mixes_;
}

void NodeCosts::store(const MixCost& mixes) {
    const std::scoped_lock lock{mutex_};
    mixes_ = mixes;
    mixes_measured_ = true;
}

void NodeCosts::measure(const NodeDescription& node) {
    const auto mixes_measured = [this] {
        const std::scoped_lock lock{mutex_};
        return mixes_measured_;
    };
    if (!mixes_measured()) store(measure_mixes(node.block_size));
    if (find(node.cost_class)) return;
    // A node whose construction throws cannot be measured either.
    store(node.cost_class, {});
    if (const auto ps = measure_node_ps(node)) store(node.cost_class, {*ps});
}

void NodeCosts::measure(std::span<const std::shared_ptr<const NodeDescription>> nodes) {
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& node : nodes) {
        if (std::chrono::steady_clock::now() - begin >= kLongestMeasuring) return;
        measure(*node);
    }
}

GraphCost NodeCosts::of(const AudioGraph& graph, Unmeasured& unmeasured) const {
    GraphCost sum;
    std::unordered_map<std::uint64_t, std::optional<Cost>> known;
    for (const auto& node : graph.nodes()) {
        if (!add_mixes(*node, 1, sum)) continue;
        const std::uint64_t cost_class = node->description->cost_class;
        const auto [entry, added] = known.try_emplace(cost_class);
        if (added) {
            entry->second = find(cost_class);
            if (!entry->second && unmeasured.size() < kMostUnmeasured) unmeasured.push_back(node->description);
        }
        if (entry->second && entry->second->ps) {
            sum.nodes_ps += *entry->second->ps;
        } else {
            ++sum.unknown_nodes;
        }
    }
    return sum;
}

}  // namespace rta::api
