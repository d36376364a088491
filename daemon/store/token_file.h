// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "os/unique_fd.h"
#include "store/token_list.h"
#include "text/error.h"

namespace rta::store {

// The file of the access tokens. All functions may block on the disk. [any]

/// Returns the path of the file in a state directory.
[[nodiscard]] std::string token_file_in(const std::string& state_directory);

/// Reads the tokens. Returns an empty list only if the file does not exist: a file that cannot be understood must not
/// look like one without tokens, which would open the daemon. INVALID_ARGUMENT if it is damaged or not a regular file;
/// PERMISSION_DENIED if other users may change it; UNAVAILABLE if it cannot be read.
[[nodiscard]] Expected<TokenList> read_token_file(const std::string& path);

/// Replaces the file atomically, with mode 0600, and waits until it is on the disk. UNAVAILABLE: the old contents remain,
/// or the new ones are there and only syncing the directory failed.
[[nodiscard]] Expected<void> write_token_file(const std::string& path, const TokenList& list);

/// Locks the tokens until the descriptor is closed, by the file PATH.lock: a daemon that runs would overwrite what another
/// process writes. ALREADY_EXISTS if another process holds the lock; UNAVAILABLE for system errors, for example in a
/// directory that cannot be written.
[[nodiscard]] Expected<os::UniqueFd> lock_token_file(const std::string& path);

}  // namespace rta::store
