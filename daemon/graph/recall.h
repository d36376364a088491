// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/audio_graph.h"
#include "graph/difference.h"
#include "graph/edit.h"
#include "text/error.h"

namespace rta {

/// Returns the graph of a document whose values are those of load_document(). Its ids count from 1. Errors, with line and
/// column: those of nodes and connections. [any]
[[nodiscard]] Expected<AudioGraph> graph_of(const GraphDocument& document, const NodeRegistry& registry,
                                            double sample_rate_hz, std::uint32_t block_size);

/// Returns the node of the graph that stays when this node of a scene is recalled: that with the same name, type and
/// settings; null: none. [any]
[[nodiscard]] const GraphNode* find_same_node(const AudioGraph& graph, const GraphNode& node);

/// Returns the graph after the recall of a scene. `next_id` is the id of the next node added. Errors: connections that
/// cannot be made.
///
/// Of a partial scene, the other nodes stay as they are, and so do their connections, also those to a node of the scene
/// that is replaced, if it still has their ports. [any]
[[nodiscard]] Expected<AudioGraph> recalled(const AudioGraph& graph, std::uint64_t next_id, const AudioGraph& scene,
                                            bool partial);

/// Returns the edits that turn `graph` into `result`, the graph after a recall, with fades of this length. `next_id` is
/// that of recalled(). [any]
[[nodiscard]] std::vector<Edit> recall_edits(const AudioGraph& graph, const AudioGraph& result, std::uint64_t next_id,
                                             std::optional<float> fade_ms, Pairs pairs = Pairs::by_id_or_name);

}  // namespace rta
