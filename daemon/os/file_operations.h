// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "os/result.h"
#include "os/unique_fd.h"

namespace rta::os {

/// The calls that put a file on the disk. Tests let each of them fail. [any]
class FileOperations {
 public:
    FileOperations() = default;
    FileOperations(const FileOperations&) = delete;
    FileOperations& operator=(const FileOperations&) = delete;
    virtual ~FileOperations() = default;

    /// See create_file(). The file can be read, too.
    [[nodiscard]] virtual Result<UniqueFd> create(int folder, const std::string& name, mode_t mode);
    /// Writes the whole text at this offset in bytes.
    [[nodiscard]] virtual Result<void> write_at(int fd, std::string_view text, off_t offset);
    /// Extends a file of `offset` bytes by `bytes` zeros, for which the disk has space from then on.
    [[nodiscard]] virtual Result<void> reserve(int fd, off_t offset, off_t bytes);
    /// Waits until the contents of a file are on the disk.
    [[nodiscard]] virtual Result<void> sync_data(int fd);
    /// Waits until the names in a folder are on the disk.
    [[nodiscard]] virtual Result<void> sync_folder(int folder);
    /// Renames a file in `folder` over another one.
    [[nodiscard]] virtual Result<void> rename(int folder, const std::string& from, const std::string& to);

    /// Returns those of the operating system.
    [[nodiscard]] static FileOperations& system();
};

}  // namespace rta::os
