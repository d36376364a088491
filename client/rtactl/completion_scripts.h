// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace rta::rtactl {

// Scripts that let a shell complete what is typed behind rtactl. The commands and their options stand in them; what
// depends on the daemon they ask `rtactl complete` for.
[[nodiscard]] std::string bash_completion();
[[nodiscard]] std::string zsh_completion();
[[nodiscard]] std::string fish_completion();

}  // namespace rta::rtactl
