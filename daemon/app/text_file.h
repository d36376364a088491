// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::app {

/// Reads a regular file, or, if the path is "-", standard input, which may be anything. `what` is the word for the
/// contents in error sentences: "the graph". NOT_FOUND; UNAVAILABLE if it cannot be read; INVALID_ARGUMENT if it is not
/// a regular file or has more than `longest` bytes, a multiple of 1 MiB.
[[nodiscard]] Expected<std::string> read_text_file(std::string_view what, const std::string& path, std::size_t longest);

}  // namespace rta::app
