// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "rtactl/language/command_table.h"
#include "rtactl/terminal/streams.h"

namespace rta::rtactl {

/// Runs rtactl. `words` are the arguments after the program name. Prints errors to `streams.err`, one sentence each.
[[nodiscard]] Exit run_program(const CommandTable& commands, std::span<const std::string> words, Streams streams);

}  // namespace rta::rtactl
