// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rtactl/terminal/completion.h"

namespace rta::rtactl {

/// Returns the names of the files that `path` may be completed to.
[[nodiscard]] std::vector<Candidate> complete_file(const std::string& path);

/// The effect of TAB on a line of the shell.
struct LineCompletion {
    std::size_t erased = 0;  ///< bytes to erase before the cursor
    std::string inserted;    ///< text to insert in their place
    /// Shown below the line: the candidates if there are several, or a hint.
    std::vector<Candidate> shown{};
};
/// Completes the text before the cursor. Reads folders if a file is expected.
[[nodiscard]] LineCompletion complete_line(const CommandTable& table, std::string_view line, CompletionSource& source);

}  // namespace rta::rtactl
