// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <system_error>

#include "os/result.h"
#include "os/unique_fd.h"

namespace rta::io {

/// Opens or creates a file for writing, without truncating it, because another process may be writing it, and locks it
/// while it is open. Ignores that a file system has no locks. Does not wait for the reader of a pipe.
[[nodiscard]] os::Result<os::UniqueFd> open_locked(const std::string& path);

/// Returns the reason why open_locked() failed, to end a sentence with.
[[nodiscard]] std::string describe_lock_error(std::error_code error);

}  // namespace rta::io
