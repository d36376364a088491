// SPDX-License-Identifier: MIT
#include "api/scenes/processor_pool.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

namespace rta::api {

bool ByTypeAndSettings::operator()(const NodeDescription& a, const NodeDescription& b) const {
    if (a.type != b.type) return std::less<>{}(a.type, b.type);
    return a.settings.values() < b.settings.values();
}

std::shared_ptr<NodeInstance> ProcessorPool::take(const NodeDescription& node) {
    const std::scoped_lock lock{mutex_};
    const auto found = instances_.find(node);
    if (found == instances_.end()) return nullptr;
    std::shared_ptr<NodeInstance> instance = std::move(found->second.back());
    found->second.pop_back();
    if (found->second.empty()) instances_.erase(found);
    return instance;
}

void ProcessorPool::put(std::shared_ptr<NodeInstance> instance) {
    const std::scoped_lock lock{mutex_};
    Instances& same = instances_[instance->shared_description()];
    same.push_back(std::move(instance));
}

std::vector<std::shared_ptr<NodeInstance>> ProcessorPool::take_surplus(const Counts& wanted) {
    Instances surplus;
    const std::scoped_lock lock{mutex_};
    for (auto next = instances_.begin(); next != instances_.end();) {
        Instances& same = next->second;
        const auto found = wanted.find(next->first);
        const std::size_t kept = std::min(found == wanted.end() ? 0 : found->second, same.size());
        const auto first = same.begin() + static_cast<std::ptrdiff_t>(kept);
        surplus.insert(surplus.end(), std::make_move_iterator(first), std::make_move_iterator(same.end()));
        same.erase(first, same.end());
        next = same.empty() ? instances_.erase(next) : std::next(next);
    }
    return surplus;
}

std::size_t ProcessorPool::count(const NodeDescription& node) const {
    const std::scoped_lock lock{mutex_};
    const auto found = instances_.find(node);
    return found == instances_.end() ? 0 : found->second.size();
}

}  // namespace rta::api
