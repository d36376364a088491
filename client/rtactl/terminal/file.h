// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <expected>
#include <istream>
#include <string>
#include <string_view>

namespace rta::rtactl {

// Errors are sentences that name the file.

/// Reads a whole file. Refuses a file of more than `most_bytes`.
[[nodiscard]] std::expected<std::string, std::string> read_file(const std::string& path, std::size_t most_bytes);
/// Reads a whole stream. `name` is used in errors.
[[nodiscard]] std::expected<std::string, std::string> read_stream(std::istream& in, std::string_view name,
                                                                  std::size_t most_bytes);

/// Replaces a file atomically: readers see either the old or the new contents, even after a crash. Keeps the
/// permissions of the file and symbolic links to it. Writes in place if the file is not a regular one (a pipe,
/// /dev/stdout).
[[nodiscard]] std::expected<void, std::string> replace_file(const std::string& path, std::string_view text);

}  // namespace rta::rtactl
