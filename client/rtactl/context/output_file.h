// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "rtactl/context/context.h"

namespace rta::rtactl {

/// The name of a file that means the standard input or output.
inline constexpr std::string_view kStandardStream = "-";

/// Whether it is a name: to be asked before the daemon is.
[[nodiscard]] Result<void> check_output(std::string_view path);
/// Replaces the file that a command was told to write; kStandardStream is printed, unless JSON is printed there.
[[nodiscard]] Result<void> write_output(Session& session, const std::string& path, std::string_view text);

}  // namespace rta::rtactl
