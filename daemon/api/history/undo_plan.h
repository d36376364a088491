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
#include "graph/fresh_nodes.h"
#include "text/error.h"

namespace rta::api {

/// Which steps to undo, or to apply again.
struct UndoWish {
    bool redo = false;
    std::size_t steps = 1;
    std::string author{};
    bool of_all = false;  ///< also steps of other authors
    bool force = false;   ///< also what others have changed since in the same places
    /// Numbers of these steps, if they have been chosen before. Others are chosen if one of them cannot be taken any more.
    std::vector<std::uint64_t> chosen{};
};

/// The transaction that undoes steps, or applies them again.
struct UndoPlan {
    std::vector<Edit> edits{};
    std::vector<std::uint64_t> chosen{};     ///< numbers of the steps for which the wish asks
    std::vector<std::uint64_t> undone{};     ///< numbers, the latest first
    std::vector<std::uint64_t> redone{};     ///< numbers, the earliest first, after those are undone
    std::vector<std::string> fresh_nodes{};  ///< that come back without what they remember of their input
    std::vector<NodeIdentity> concerned{};   ///< nodes on which the edits depend, ascending
    std::size_t size = 0;                    ///< nodes and connections that were considered
};

/// Plans it for the steps of a history, the earliest first, all with their contents, and for the graph that they have led
/// to. The result is as if the steps that are not undone had been the only ones; see UndoTarget. A step that is undone or
/// applied again must be the latest one that stays to have changed the existence, name, settings or texts of a node, or a
/// connection. A parameter keeps the value of the latest step that stays and has set it.
///
/// NOT_FOUND: not as many steps. FAILED_PRECONDITION: another step does not allow it, which is named. [any]
[[nodiscard]] Expected<UndoPlan> plan_undo(std::span<const HistoryStep> steps, const UndoWish& wish,
                                           const AudioGraph& graph, const NodeRegistry& registry);

}  // namespace rta::api
