// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "api/scenes/processor_pool.h"
#include "api/scenes/scene_content.h"
#include "graph/audio_graph.h"
#include "graph/edit.h"
#include "graph/recall.h"
#include "text/error.h"

namespace rta::api {

/// Returns the nodes that a recall would add to the graph, or replace: all but those with the same name, type and
/// settings. [any]
[[nodiscard]] ProcessorPool::Counts nodes_to_add(const AudioGraph& graph, const SceneContent& scene);

/// Returns the graph after a recall; see rta::recalled(). [any]
[[nodiscard]] Expected<AudioGraph> recalled(const AudioGraph& graph, std::uint64_t next_id, const SceneContent& scene);

/// Returns the changes that must follow the edits which were planned for the graph `planned`, so that they lead from `now` to
/// the scene, too: of parameters that had the values of the scene, and that others have set since. Nothing if the graphs differ
/// in more than the values of parameters, or in too many of them: the recall must be planned again. Compares a pointer for
/// each node that is the same. [control]
[[nodiscard]] std::optional<std::vector<SetParameter>> lost_values(const AudioGraph& planned, const AudioGraph& now,
                                                                   const SceneContent& scene,
                                                                   std::optional<float> fade_ms);

}  // namespace rta::api
