// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "api/history/step.h"
#include "graph/audio_graph.h"
#include "graph/edit.h"
#include "text/error.h"

namespace rta::api {

/// Which steps to undo, or to apply again.
struct UndoWish {
    bool redo = false;
    std::size_t steps = 1;
    std::string author{};
    bool of_all = false;  ///< also steps of other authors
    bool force = false;   ///< also what others have changed since in the same places
};

/// The transaction that undoes steps, or applies them again.
struct UndoPlan {
    std::vector<Edit> edits{};
    std::vector<std::uint64_t> undone{};     ///< numbers, the latest first
    std::vector<std::uint64_t> redone{};     ///< numbers, the earliest first, after those are undone
    std::vector<std::string> fresh_nodes{};  ///< that come back without what they remember of their input
};

/// Plans it for the steps of a history, the earliest first, all with their contents unless they are discarded, and for
/// the graph that they have led to. The result is as if the steps that are not undone had been the only ones:
///
/// - the structure is that before the steps, which is possible because no later step that stays has changed the same
///   nodes and connections;
/// - a parameter keeps the value of the latest step that stays and has set it.
///
/// FAILED_PRECONDITION: not as many steps, or another step has changed the same nodes or connections, which is named.
/// [any]
[[nodiscard]] Expected<UndoPlan> plan_undo(std::span<const HistoryStep> steps, const UndoWish& wish,
                                           const AudioGraph& graph, const NodeRegistry& registry);

/// Returns the nodes that the edits add or rebuild, and that remember what they have heard. [any]
[[nodiscard]] std::vector<std::string> fresh_nodes(std::span<const Edit> edits, const AudioGraph& graph,
                                                   const NodeRegistry& registry);

}  // namespace rta::api
