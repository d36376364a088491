// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "rtactl/context/context.h"

namespace rta::rtactl {

/// Name of a file that stands for the standard input or output.
inline constexpr std::string_view kStandardStream = "-";

/// Rejects an invalid file name, before anything is requested from the daemon.
[[nodiscard]] Result<void> check_output(std::string_view path);
/// Replaces the contents of a file. Prints to the standard output if `path` is kStandardStream, except with --json.
[[nodiscard]] Result<void> write_output(Context& context, const std::string& path, std::string_view text);

}  // namespace rta::rtactl
