// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "os/result.h"
#include "os/unique_fd.h"

namespace rta::os {

/// How open_beneath() resolves a path. Tests select `step_by_step`, which is also the fallback for kernels and containers
/// without openat2(2).
enum class Resolution : std::uint8_t { by_kernel, step_by_step };

/// Opens a regular file by its path relative to an open folder, and never one outside of it. Refuses symbolic links in
/// every component, so that no process that writes to the folder can redirect the path, whenever it does so. Does not
/// wait for the writer of a FIFO. `flags` and `mode`: as for openat(2). [any]
///
/// Errors: errc::invalid_argument if the path is not relative, or has an empty component, `.` or `..`;
/// errc::too_many_symbolic_link_levels or errc::not_a_directory at a symbolic link; errc::not_supported if it is not a
/// regular file.
[[nodiscard]] Result<UniqueFd> open_beneath(int folder, const std::string& path, int flags, mode_t mode = 0,
                                            Resolution resolution = Resolution::by_kernel);

/// Whether a path is relative and has neither an empty component, nor `.` or `..`. [any]
[[nodiscard]] bool is_plain_relative_path(const std::string& path);

}  // namespace rta::os
