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

void KeptProcessors::keep(NodeIdentity node, std::shared_ptr<NodeInstance> instance, std::uint64_t frame) {
    if (!instance->description().type->remembers_input) return;
    kept_.push_back({node, std::move(instance), frame});
    for (std::uint64_t all = bytes(); all > most_bytes_; kept_.pop_front())
        all -= kept_.front().instance->description().memory_bytes;
}

void KeptProcessors::free_expired(std::uint64_t frame) {
    while (!kept_.empty() && kept_.front().frame + frames_ <= frame) kept_.pop_front();
}

void KeptProcessors::lend(const Draft& draft) {
    for (const AddedNode& added : draft.added) {
        const GraphNode* const node = draft.graph.find(added.id);
        if (node == nullptr || added.instance == nullptr) continue;
        const auto found = std::ranges::find_if(kept_, [&](const Kept& kept) {
            return kept.node == node->identity && kept.lent_to == nullptr && kept.instance.use_count() == 1 &&
                   same_processor(kept.instance->description(), *node->description);
        });
        if (found == kept_.end()) continue;
        found->instance->exchange_processor(*added.instance);
        found->lent_to = added.instance;
    }
}

void KeptProcessors::take_back() {
    for (Kept& kept : kept_) {
        if (const auto borrower = std::exchange(kept.lent_to, nullptr)) kept.instance->exchange_processor(*borrower);
    }
}

std::vector<std::string> KeptProcessors::end() {
    std::vector<std::string> names;
    std::erase_if(kept_, [&](const Kept& kept) {
        if (kept.lent_to == nullptr) return false;
        names.push_back(kept.lent_to->description().name);
        return true;
    });
    return names;
}

std::uint64_t KeptProcessors::bytes() const {
    return std::accumulate(kept_.begin(), kept_.end(), std::uint64_t{0}, [](std::uint64_t sum, const Kept& kept) {
        return sum + kept.instance->description().memory_bytes;
    });
}

}  // namespace rta
