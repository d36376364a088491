// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace rta::os {

/// Identifies a file or folder, independent of its path.
struct FileIdentity {
    dev_t device = 0;
    ino_t inode = 0;

    [[nodiscard]] static FileIdentity of(const struct stat& status);
    /// Returns nullopt if the file does not exist. Does not follow a symbolic link.
    [[nodiscard]] static std::optional<FileIdentity> at(const std::string& path);
    [[nodiscard]] bool operator==(const FileIdentity&) const = default;
};

/// Identifies a file and the version of its contents, which changes when another process replaces or modifies the file.
struct FileVersion {
    FileIdentity file;
    std::int64_t modified_ns = 0;
    off_t bytes = 0;

    [[nodiscard]] static FileVersion of(const struct stat& status);
    [[nodiscard]] bool operator==(const FileVersion&) const = default;
};

/// Whether the folder that is open as `fd` is still the one at `path`: it may have been removed, or another file system
/// mounted over it.
[[nodiscard]] bool is_still_at(int fd, const std::string& path);

}  // namespace rta::os
