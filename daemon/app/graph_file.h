// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/engine.h"
#include "text/error.h"

namespace rta::app {

/// Longer documents are not read.
inline constexpr std::size_t kLongestGraphBytes = std::size_t{16} << 20U;

/// Takes the text of a graph document and builds its processors. Errors tell what is wrong in it, with line and column,
/// and where it comes from: `path`. RESOURCE_EXHAUSTED where the machine has too little memory for it.
[[nodiscard]] Expected<PreparedTransaction> read_graph_text(const Engine& engine, const std::string& text,
                                                            const std::string& path);

/// The same, and makes it the engine's graph. [control]
[[nodiscard]] Expected<void> load_graph_text(Engine& engine, const std::string& text, const std::string& path);
/// The same from a file; NOT_FOUND or UNAVAILABLE if it cannot be read. [control]
[[nodiscard]] Expected<void> load_graph_file(Engine& engine, const std::string& path);

/// The same for nothing but to see whether it may become one's graph.
[[nodiscard]] Expected<GraphDocument> check_graph_text(const Engine& engine, const std::string& text,
                                                       const std::string& path);

/// Both name one file, whether it is there or not: what is written to the one would destroy the other.
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);

/// The highest channel of the device that an `output` of the graph plays to, from 1; 0 if there is none.
[[nodiscard]] std::uint32_t highest_output_channel(const AudioGraph& graph);

}  // namespace rta::app
