// SPDX-License-Identifier: MIT
#include "api/scenes/processor_pool.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <new>
#include <optional>
#include <utility>

namespace rta::api {

bool ByTypeAndSettings::operator()(const NodeDescription& a, const NodeDescription& b) const {
    if (a.type != b.type) return std::less<>{}(a.type, b.type);
    return a.settings.values() < b.settings.values();
}

/// Frees what is left of a stack.
struct ProcessorPool::Stack {
    Returned* first;

    explicit Stack(Returned* top) : first{top} {}
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;
    ~Stack() {
        while (first != nullptr) pop();
    }
    std::shared_ptr<NodeInstance> pop() {
        const std::unique_ptr<Returned> top{std::exchange(first, first->next)};
        return std::move(top->instance);
    }
};

// acquire pairs with the release in put(), of which nothing may follow now.
ProcessorPool::~ProcessorPool() { const Stack left{returned_.exchange(nullptr, std::memory_order_acquire)}; }

std::shared_ptr<NodeInstance> ProcessorPool::take(const NodeDescription& node) {
    const std::scoped_lock lock{mutex_};
    sort_returned();
    const auto found = instances_.find(node);
    if (found == instances_.end()) return nullptr;
    std::shared_ptr<NodeInstance> instance = std::move(found->second.back());
    found->second.pop_back();
    if (found->second.empty()) instances_.erase(found);
    return instance;
}

void ProcessorPool::put(std::shared_ptr<NodeInstance> instance) noexcept {
    auto* const top = new (std::nothrow) Returned{std::move(instance), returned_.load(std::memory_order_relaxed)};
    if (top == nullptr) return;
    // release pairs with the acquire in sort_returned(): the processor is seen as it was given back.
    while (!returned_.compare_exchange_weak(top->next, top, std::memory_order_release, std::memory_order_relaxed)) {
    }
}

/// Call it with the lock.
void ProcessorPool::sort_returned() {
    // All are taken at once, so no element is seen again while another thread pushes.
    Stack all{returned_.exchange(nullptr, std::memory_order_acquire)};
    while (all.first != nullptr) {
        std::shared_ptr<NodeInstance> instance = all.pop();
        Instances& same = instances_[instance->shared_description()];
        same.push_back(std::move(instance));
    }
}

std::vector<std::shared_ptr<NodeInstance>> ProcessorPool::take_surplus(const Counts& wanted) {
    constexpr int kKindsPerLock = 16;  // recalls wait for the lock
    Instances surplus;
    std::optional<Description> last;
    for (bool more = true; more;) {
        const std::scoped_lock lock{mutex_};
        sort_returned();
        auto next = last ? instances_.upper_bound(*last) : instances_.begin();
        for (int i = 0; i < kKindsPerLock && next != instances_.end(); ++i) {
            last = next->first;
            Instances& same = next->second;
            const auto found = wanted.find(next->first);
            const std::size_t kept = std::min(found == wanted.end() ? 0 : found->second, same.size());
            const auto first = same.begin() + static_cast<std::ptrdiff_t>(kept);
            surplus.insert(surplus.end(), std::make_move_iterator(first), std::make_move_iterator(same.end()));
            same.erase(first, same.end());
            next = same.empty() ? instances_.erase(next) : std::next(next);
        }
        more = next != instances_.end();
    }
    return surplus;
}

std::size_t ProcessorPool::count(const NodeDescription& node) {
    const std::scoped_lock lock{mutex_};
    sort_returned();
    const auto found = instances_.find(node);
    return found == instances_.end() ? 0 : found->second.size();
}

}  // namespace rta::api
