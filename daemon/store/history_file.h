// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::store {

// The file of a history: a line with the version of the format and the SHA-256 of the rest, a line with that of the
// `graph.json` to which the history has led, and the history. [any]

/// Returns the file. UNAVAILABLE if the hashes cannot be computed.
[[nodiscard]] Expected<std::string> write_history_file(std::string_view history, std::string_view graph);

/// Returns the history in a file, or nullopt if it belongs to another graph. INVALID_ARGUMENT: the file is damaged or has
/// another version.
[[nodiscard]] Expected<std::optional<std::string>> read_history_file(std::string_view file, std::string_view graph);

}  // namespace rta::store
