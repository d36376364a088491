// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>

#include "os/result.h"
#include "os/unique_fd.h"

namespace rta::os {

/// Time limit for a lock: another daemon that is starting holds it for a few milliseconds, and a killed one holds it
/// until its memory has been freed.
inline constexpr std::chrono::milliseconds kLockTimeout{1000};

/// Locks a file or folder (flock(2)) until its descriptor is closed, or fails immediately with
/// errc::operation_would_block if another process has locked it.
[[nodiscard]] Result<void> try_lock(int fd);

/// The same, but retries until the timeout. Any process that may open the folder may lock it, so every wait is limited.
[[nodiscard]] Result<void> lock(int fd, std::chrono::milliseconds timeout = kLockTimeout);

/// Opens and locks a folder. The lock is held until the descriptor is closed.
[[nodiscard]] Result<UniqueFd> lock_folder(const std::string& path, std::chrono::milliseconds timeout = kLockTimeout);

}  // namespace rta::os
