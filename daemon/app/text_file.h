// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::app {

/// Reads a regular file whole; "-" is standard input, which may be anything. `what` is for the errors: "the graph".
/// NOT_FOUND; UNAVAILABLE if it cannot be read; INVALID_ARGUMENT if it is no regular file (a FIFO would make us wait
/// for whoever writes into it) or has more than `longest` bytes, a multiple of 1 MiB.
[[nodiscard]] Expected<std::string> read_text_file(std::string_view what, const std::string& path, std::size_t longest);

}  // namespace rta::app
