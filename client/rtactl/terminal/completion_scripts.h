// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "rtactl/language/command_table.h"

namespace rta::rtactl {

// Completion scripts of shells. They contain the commands and their options, and call `rtactl complete` for everything
// that depends on the daemon.

[[nodiscard]] std::string bash_completion(const CommandTable& table);
[[nodiscard]] std::string zsh_completion(const CommandTable& table);
[[nodiscard]] std::string fish_completion(const CommandTable& table);

}  // namespace rta::rtactl
