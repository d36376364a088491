// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "document/document.h"
#include "engine/engine.h"
#include "graph/audio_graph.h"
#include "graph/graph_part.h"
#include "text/error.h"

namespace rta::api {

/// What is known of a scene besides its nodes.
struct SceneHeader {
    bool partial = false;     ///< only some nodes of the graph belong to it
    std::string author{};     ///< who saved it
    std::int64_t utc_us = 0;  ///< when: microseconds since 1970-01-01
    std::uint32_t nodes = 0;  ///< their number
};

/// The nodes and connections of a scene. Shares no nodes with other graphs, so any thread may read and destroy it.
struct SceneContent {
    AudioGraph graph;
    bool partial = false;

    /// Returns an estimate.
    [[nodiscard]] std::uint64_t memory_bytes() const;
};

// The text of a scene: comments with its header, then an ordinary graph document. [any]

[[nodiscard]] std::string write_scene(const SceneHeader& header, const GraphDocument& document);
/// Returns the header, as far as the text has it.
[[nodiscard]] SceneHeader read_scene_header(std::string_view text);
/// Errors: those of load_document(), and of nodes and connections that do not exist in this version.
[[nodiscard]] Expected<SceneContent> read_scene(std::string_view text, const Engine& engine);

}  // namespace rta::api
