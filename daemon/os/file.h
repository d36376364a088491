// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "os/result.h"
#include "os/unique_fd.h"

namespace rta::os {

/// Opens a file for reading. Does not wait for the writer of a FIFO. `folder`: what a relative path is relative to.
[[nodiscard]] Result<UniqueFd> open_to_read(const std::string& path);
[[nodiscard]] Result<UniqueFd> open_to_read(int folder, const std::string& path);

/// Creates a file in `folder`, and opens it with O_RDWR or O_WRONLY. Replaces what has this name: never opens a FIFO, which
/// could block, nor follows a symbolic link. errc::file_exists: it is a directory.
[[nodiscard]] Result<UniqueFd> create_file(int folder, const std::string& name, int access, mode_t mode);

/// Opens a folder; "" is the current one.
[[nodiscard]] Result<UniqueFd> open_folder(const std::string& path);

/// Returns the folder that holds the file: the path up to its last component, or ".".
[[nodiscard]] std::string folder_of(const std::string& path);

/// Whether the descriptor is a regular file.
[[nodiscard]] bool is_regular_file(int fd);

/// Whether the descriptor is a regular file of this user that other users may access. ssh refuses such a key. As there, a
/// file of another user, such as a key of root for a group, is the responsibility of that user.
[[nodiscard]] Result<bool> others_may_access(int fd);

/// Reads to the end. errc::file_too_large if there are more than `most_bytes`, whatever size the file claims to have.
[[nodiscard]] Result<std::string> read_to_end(int fd, std::size_t most_bytes);

/// Writes the whole text.
[[nodiscard]] Result<void> write_all(int fd, std::string_view text);
/// Writes the whole text at this offset in bytes, without moving the position of the descriptor.
[[nodiscard]] Result<void> write_all_at(int fd, std::string_view text, off_t offset);

/// Waits until a file, or the names in a folder, are on the disk.
[[nodiscard]] Result<void> sync(int fd);

/// Closes the descriptor and reports the error, which reset() ignores: some file systems report a full disk only here.
[[nodiscard]] Result<void> close(UniqueFd fd);

/// Returns the mode of a file created with 0666: 0666 without the bits of the umask. Sets the umask for a moment,
/// because it cannot be read otherwise: not thread-safe.
[[nodiscard]] mode_t mode_of_new_file();

/// As root, gives the open file to the owner of the file at `path`, or of its folder if that does not exist, so that a
/// daemon that runs as that user can use it. Does nothing as any other user.
void give_to_owner_of(int fd, const std::string& path);

/// Renames a file in `folder` to the first free name of `name + suffix + N`, N from 1 to 10,000; returns that name.
/// Never overwrites a file. errc::file_exists if none is free. AT_FDCWD: the paths are not relative to a folder.
[[nodiscard]] Result<std::string> rename_to_free_name(int folder, const std::string& name, std::string_view suffix);

}  // namespace rta::os
