// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rta::rtactl {

/// A shell that completes what is typed behind rtactl, by a script in which the commands and their options stand; what
/// depends on the daemon it asks `rtactl complete` for.
struct TerminalShell {
    std::string_view name;
    std::string (*script)();
};
/// All that there are.
[[nodiscard]] std::span<const TerminalShell> terminal_shells();

}  // namespace rta::rtactl
