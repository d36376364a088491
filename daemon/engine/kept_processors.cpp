// SPDX-License-Identifier: MIT
#include "engine/kept_processors.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace rta {
namespace {

bool same_processor(const NodeDescription& a, const NodeDescription& b) {
    return a.type == b.type && a.settings == b.settings;
}

}  // namespace

void KeptProcessors::add(Removed& removed, Kept node) {
    if (node.instance->description().type->remembers_input) removed.push_back(std::move(node));
}

void KeptProcessors::keep(Removed&& removed) {
    kept_.splice(kept_.end(), removed);
    for (std::uint64_t all = bytes(); all > most_bytes_; drop_oldest())
        all -= kept_.front().instance->description().memory_bytes;
}

void KeptProcessors::drop_oldest() {
    awaited_dropped_ = awaited_dropped_ || kept_.front().awaited;
    kept_.pop_front();
}

void KeptProcessors::free_expired(std::uint64_t frame) {
    while (!kept_.empty() && kept_.front().frame + frames_ <= frame) drop_oldest();
}

void KeptProcessors::clear() {
    while (!kept_.empty()) drop_oldest();
}

bool KeptProcessors::lend(const Draft& draft, std::uint64_t frame) {
    for (const AddedNode& added : draft.added) {
        const GraphNode* const node = draft.graph.find(added.id);
        if (node == nullptr || added.instance == nullptr) continue;
        const auto found = std::ranges::find_if(kept_, [&](const Kept& kept) {
            return kept.node == node->identity && kept.lent_to == nullptr &&
                   same_processor(kept.instance->description(), *node->description);
        });
        if (found == kept_.end()) continue;
        if (found->instance.use_count() > 1) {
            if (found->replaced || !may_wait(*found, frame)) continue;
            found->awaited = true;
            return false;
        }
        found->instance->exchange_processor(*added.instance);
        found->lent_to = added.instance;
    }
    return true;
}

std::vector<std::string> KeptProcessors::lent() const {
    std::vector<std::string> names;
    for (const Kept& kept : kept_) {
        if (kept.lent_to != nullptr) names.push_back(kept.lent_to->description().name);
    }
    return names;
}

void KeptProcessors::take_back() {
    for (Kept& kept : kept_) {
        if (const auto borrower = std::exchange(kept.lent_to, nullptr)) kept.instance->exchange_processor(*borrower);
    }
}

void KeptProcessors::end() {
    std::erase_if(kept_, [](const Kept& kept) { return kept.lent_to != nullptr; });
}

bool KeptProcessors::take_returned(std::uint64_t frame) {
    bool returned = std::exchange(awaited_dropped_, false);
    for (Kept& kept : kept_) {
        if (!kept.awaited || may_wait(kept, frame)) continue;
        kept.awaited = false;
        returned = true;
    }
    return returned;
}

std::uint64_t KeptProcessors::bytes() const {
    return std::accumulate(kept_.begin(), kept_.end(), std::uint64_t{0}, [](std::uint64_t sum, const Kept& kept) {
        return sum + kept.instance->description().memory_bytes;
    });
}

}  // namespace rta
