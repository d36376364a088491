// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <expected>
#include <istream>
#include <string>
#include <string_view>

namespace rta::rtactl {

// The error of each is a sentence that names the file.

/// The whole file. Refuses one of more than `most_bytes`, whatever it says its size is.
[[nodiscard]] std::expected<std::string, std::string> read_file(const std::string& path, std::size_t most_bytes);
/// The same of a stream that is open already; `name` is what the error calls it.
[[nodiscard]] std::expected<std::string, std::string> read_stream(std::istream& in, std::string_view name,
                                                                  std::size_t most_bytes);

/// Replaces the file in one step: whoever reads it sees the old text or the new one, even after a crash. Keeps its
/// permissions, and a symbolic link stays one. What is no regular file (a pipe, /dev/stdout) is written to.
[[nodiscard]] std::expected<void, std::string> replace_file(const std::string& path, std::string_view text);

}  // namespace rta::rtactl
