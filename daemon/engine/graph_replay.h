// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "engine/config.h"
#include "graph/audio_graph.h"
#include "graph/edit.h"
#include "graph/node_type.h"
#include "text/error.h"

namespace rta {

/// Applies edits to a graph that does not play: builds no processors, and compiles nothing. No limits apply: the edits
/// have been committed before. One thread may use it at a time.
class GraphReplay {
 public:
    /// Both must outlive it. The graph is empty.
    GraphReplay(const NodeRegistry& registry, const EngineConfig& config) : registry_{registry}, config_{config} {}

    /// Applies one edit. Errors as those of Engine::commit(), without those that depend on the graph as a whole, such as
    /// cycles; the graph is then undefined.
    [[nodiscard]] Expected<void> apply(Edit edit);
    [[nodiscard]] const AudioGraph& graph() const { return graph_; }

 private:
    const NodeRegistry& registry_;
    const EngineConfig& config_;
    AudioGraph graph_;
    std::uint64_t next_id_ = 1;
};

}  // namespace rta
