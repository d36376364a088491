// SPDX-License-Identifier: MIT
#include "api/events/node_loads.h"

#include <algorithm>

namespace rta::api {

namespace {

/// Returns 0 if no block was timed in between.
double share_between(const NodeTime& from, const NodeTime& to, double cycles_per_block) {
    if (to.block_count <= from.block_count || to.cycles < from.cycles) return 0.0;
    const auto cycles = static_cast<double>(to.cycles - from.cycles);
    return cycles / static_cast<double>(to.block_count - from.block_count) / cycles_per_block;
}

}  // namespace

void NodeLoads::begin(std::span<const NodeTime> times) {
    seen_.clear();
    for (const NodeTime& time : times) seen_.emplace(time.node.value(), Seen{.first = time, .last = time});
}

std::vector<NodeLoads::NodeLoad> NodeLoads::heaviest(std::span<const NodeTime> times, double cycles_per_block,
                                                     std::size_t most) {
    std::unordered_map<std::uint64_t, Seen> now;
    now.reserve(times.size());
    std::vector<NodeLoad> loads;
    loads.reserve(times.size());
    for (const NodeTime& time : times) {
        const auto before = seen_.find(time.node.value());
        Seen seen =
            before == seen_.end() ? Seen{.first = {.node = time.node}, .last = {.node = time.node}} : before->second;
        // After a reset, the node's new processor counts from 0.
        if (time.block_count < seen.last.block_count)
            seen = {.first = {.node = time.node}, .last = {.node = time.node}};
        if (time.block_count != seen.last.block_count) {
            seen.share = share_between(seen.last, time, cycles_per_block);
            seen.last = time;
            seen.idle_calls = 0;
        } else if (++seen.idle_calls >= kIdleCalls) {
            seen.share = 0.0;
        }
        loads.push_back({time.node, seen.share, share_between(seen.first, time, cycles_per_block)});
        now.emplace(time.node.value(), seen);
    }
    seen_ = std::move(now);
    const std::size_t reported = std::min(most, loads.size());
    std::ranges::partial_sort(loads, loads.begin() + static_cast<std::ptrdiff_t>(reported), std::ranges::greater{},
                              &NodeLoad::share);
    loads.resize(reported);
    return loads;
}

}  // namespace rta::api
