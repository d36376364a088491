// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "text/error.h"

namespace rta::app {

/// A graph document that was loaded or checked.
struct GraphReport {
    std::size_t node_count = 0;
    std::size_t connection_count = 0;
    /// What was loaded differently from what the document says. Each begins with the path.
    std::vector<std::string> warnings;
    std::string comment_warning;  ///< empty if the document has no comments
};

/// Which limits apply to a graph: those of the engine, which are those of clients, or for a graph that the operator has
/// given or that was saved, the widest ones. It would otherwise be lost when a limit is lowered.
enum class LimitsOf : std::uint8_t { engine, operator_graph };

/// Parses a graph document and commits it to the engine, before it renders a block. Errors start with `path`,
/// and name line and column if the document is invalid. INVALID_ARGUMENT also if the graph exceeds a limit;
/// RESOURCE_EXHAUSTED if the machine has too little memory. [control]
[[nodiscard]] Expected<GraphReport> load_graph_text(Engine& engine, const std::string& text, const std::string& path,
                                                    LimitsOf limits = LimitsOf::engine);
/// Reads a graph document from a file and commits it. NOT_FOUND or UNAVAILABLE if it cannot be read. [control]
[[nodiscard]] Expected<GraphReport> load_graph_file(Engine& engine, const std::string& path,
                                                    LimitsOf limits = LimitsOf::engine);
/// Returns a sentence for each limit that the graph exceeds, because it was loaded with LimitsOf::operator_graph.
[[nodiscard]] std::vector<std::string> exceeded_limits(const Engine& engine);

/// Checks that a graph document could be committed to the engine. Errors as above. [control]
[[nodiscard]] Expected<GraphReport> check_graph_text(Engine& engine, const std::string& text, const std::string& path);

/// Logs the warnings of a graph that was loaded, and that its comments will not be saved. Returns the error of another.
[[nodiscard]] Expected<void> logged(const Expected<GraphReport>& loaded);

/// Returns whether both paths name the same file, which need not exist.
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);

/// Returns the highest device channel, starting at 1, that a node of this role plays to or captures from; 0 if there is
/// no such node.
[[nodiscard]] std::uint32_t highest_device_channel(const AudioGraph& graph, DeviceRole role);

}  // namespace rta::app
