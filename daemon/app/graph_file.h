// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "engine/engine.h"
#include "graph/error.h"

namespace rta::app {

/// Reads a graph document and builds its processors. NOT_FOUND or UNAVAILABLE if the file cannot be read; else what is
/// wrong in it, with file, line and column.
[[nodiscard]] Expected<PreparedTransaction> read_graph_file(const Engine& engine, const std::string& path);

/// Reads it and makes it the engine's graph. [control]
[[nodiscard]] Expected<void> load_graph_file(Engine& engine, const std::string& path);

/// Both name one file that is there: what is written to the one would destroy the other.
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);

/// The highest channel of the device that an `output` of the graph plays to, from 1; 0 if there is none.
[[nodiscard]] std::uint32_t highest_output_channel(const AudioGraph& graph);

}  // namespace rta::app
