// SPDX-License-Identifier: MIT
#include "api/history/history_changes.h"

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <sstream>
#include <utility>

namespace rta::api {

namespace {

/// The identity of a name that no node has any more.
constexpr NodeIdentity kRemoved{};

using Nodes = std::span<const std::shared_ptr<const GraphNode>>;

/// Returns the identities of the nodes of `after` that are not the same in `before`, by their names. The nodes of both are
/// sorted by id; most are shared.
std::map<std::string, NodeIdentity> changed_identities(Nodes before, Nodes after) {
    std::map<std::string, NodeIdentity> changed;
    auto old = before.begin();
    std::vector<const GraphNode*> renamed_or_new;
    for (const auto& node : after) {
        for (; old != before.end() && *old != node && (*old)->id < node->id; ++old)
            changed.insert_or_assign((*old)->name(), kRemoved);
        const bool same_id = old != before.end() && (*old == node || (*old)->id == node->id);
        if (same_id && *old != node) changed.insert_or_assign((*old)->name(), kRemoved);
        if (!same_id || *old != node) renamed_or_new.push_back(node.get());
        if (same_id) ++old;
    }
    for (; old != before.end(); ++old) changed.insert_or_assign((*old)->name(), kRemoved);
    for (const GraphNode* const node : renamed_or_new) changed.insert_or_assign(node->name(), node->identity);
    return changed;
}

}  // namespace

std::string HistoryChanges::write() const {
    std::string text = std::to_string(first_number);
    for (const std::uint64_t number : redoable) text += " " + std::to_string(number);
    const Nodes none;
    const SavedHistory changed{
        .steps = steps,
        .next_number = next_number,
        .identities = changed_identities(before == nullptr ? none : before->graph.nodes(), after->graph.nodes()),
        .next_identity = next_identity,
        .open_edit = open_edit};
    return text + "\n" + changed.write();
}

Expected<void> HistoryChanges::apply(const std::string& text, SavedHistory& history, const NodeRegistry& registry,
                                     const EngineConfig& config) {
    const std::size_t line = text.find('\n');
    std::istringstream numbers{text.substr(0, line)};
    std::uint64_t first = 0;
    if (line == std::string::npos || !(numbers >> first))
        return fail(ErrorCode::invalid_argument, "a change of the history is damaged");
    std::map<std::uint64_t, std::uint64_t> orders;
    for (std::uint64_t number = 0; numbers >> number;) orders.emplace(number, orders.size() + 1);
    auto changes = SavedHistory::read(text.substr(line + 1), registry, config);
    if (!changes) return std::unexpected(std::move(changes.error()));
    history.next_number = changes->next_number;
    history.next_identity = changes->next_identity;
    history.open_edit = changes->open_edit;
    for (const auto& [name, identity] : changes->identities) {
        if (identity == kRemoved) {
            history.identities.erase(name);
        } else {
            history.identities.insert_or_assign(name, identity);
        }
    }
    for (HistoryStep& step : changes->steps) {
        const auto place = std::ranges::lower_bound(history.steps, step.number, {}, &HistoryStep::number);
        if (place != history.steps.end() && place->number == step.number) {
            *place = std::move(step);
        } else {
            history.steps.insert(place, std::move(step));
        }
    }
    std::erase_if(history.steps, [first](const HistoryStep& step) { return step.number < first; });
    for (HistoryStep& step : history.steps) {
        const auto order = orders.find(step.number);
        step.undo_order = order == orders.end() ? 0 : order->second;
    }
    return {};
}

}  // namespace rta::api
