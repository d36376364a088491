// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "document/document.h"
#include "graph/audio_graph.h"
#include "text/error.h"

/// Parts of a graph, as the protocol has them. [any]
namespace rta {

/// INVALID_ARGUMENT: `content` is not a GraphContent, or it is only the document, and nodes are listed.
[[nodiscard]] Expected<void> check_content(int content, bool lists_nodes);

/// Returns these nodes, and all connections from and to them. NOT_FOUND names the first unknown node.
[[nodiscard]] Expected<GraphDocument> part_of(const GraphDocument& whole, std::span<const std::string> nodes);

/// Returns the document of these nodes of a graph, and of the connections between them, as a scene contains them; without
/// names, that of the whole graph. NOT_FOUND: no such node.
[[nodiscard]] Expected<GraphDocument> scene_document(const AudioGraph& graph, std::span<const std::string> nodes);

}  // namespace rta
