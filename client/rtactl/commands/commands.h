// SPDX-License-Identifier: MIT
#pragma once

#include "rtactl/language/command_table.h"

namespace rta::rtactl {

/// Returns the commands that this folder defines, one per file.
[[nodiscard]] const CommandTable& all_commands();

}  // namespace rta::rtactl
