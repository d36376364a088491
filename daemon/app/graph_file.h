// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/engine.h"
#include "text/error.h"

namespace rta::app {

/// Parses a graph document and builds its processors. Errors start with `path`, and name line and column if the
/// document is invalid. RESOURCE_EXHAUSTED if the machine has too little memory.
[[nodiscard]] Expected<PreparedTransaction> read_graph_text(const Engine& engine, const std::string& text,
                                                            const std::string& path);

/// Parses a graph document and commits it to the engine, which has had no other transaction. Errors as above, and
/// INVALID_ARGUMENT if the graph is too large to save. [control]
[[nodiscard]] Expected<void> load_graph_text(Engine& engine, const std::string& text, const std::string& path);
/// Reads a graph document from a file and commits it. NOT_FOUND or UNAVAILABLE if it cannot be read. [control]
[[nodiscard]] Expected<void> load_graph_file(Engine& engine, const std::string& path);

/// Checks that a graph document could be committed to the engine. Returns the document.
[[nodiscard]] Expected<GraphDocument> check_graph_text(Engine& engine, const std::string& text,
                                                       const std::string& path);

/// Returns whether both paths name the same file, which need not exist.
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);

/// Returns the highest device channel, starting at 1, that a node of this role plays to or captures from; 0 if there is
/// no such node.
[[nodiscard]] std::uint32_t highest_device_channel(const AudioGraph& graph, DeviceRole role);

}  // namespace rta::app
