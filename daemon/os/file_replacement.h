// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "os/result.h"
#include "os/unique_fd.h"

namespace rta::os {

/// Replaces a file atomically: the new contents go to a temporary file in the same folder, which is renamed when it is
/// complete. Readers see either the old or the new contents, after a crash too. The destructor removes a temporary file
/// that was not renamed.
///
///     create, write_all(fd()), [take_mode_of_target()], flush(), rename(), [sync_folder()]
class FileReplacement {
 public:
    /// Creates `target + suffix + XXXXXX`, mode 0600, where XXXXXX makes the name unique: a file or symbolic link that
    /// another user put there is not followed. A symbolic link at `target` must be resolved by the caller; see
    /// real_path().
    [[nodiscard]] static Result<FileReplacement> create(const std::string& target, std::string_view suffix);
    /// Creates `name` in `folder`, which must stay open; see create_file().
    [[nodiscard]] static Result<FileReplacement> create_in(int folder, std::string name, std::string target,
                                                           mode_t mode);

    FileReplacement(FileReplacement&& other) noexcept;
    FileReplacement& operator=(FileReplacement&&) = delete;
    ~FileReplacement();

    /// The open temporary file; -1 after flush() or close().
    [[nodiscard]] int fd() const { return file_.get(); }
    /// The temporary file.
    [[nodiscard]] const std::string& path() const { return temporary_; }

    /// Closes the file; the caller writes it through path().
    void close() { file_.reset(); }
    /// Gives the temporary file the mode of the target, or that of a new file if the target does not exist.
    [[nodiscard]] Result<void> take_mode_of_target();
    /// Waits until the contents are on the disk, then closes the file.
    [[nodiscard]] Result<void> flush();
    /// Renames the temporary file over the target.
    [[nodiscard]] Result<void> rename();
    /// Waits until the new name is on the disk.
    [[nodiscard]] Result<void> sync_folder() const;

 private:
    FileReplacement(int folder, UniqueFd file, std::string temporary, std::string target);

    int folder_;  ///< AT_FDCWD if the names are paths
    UniqueFd file_;
    std::string temporary_;  ///< empty: renamed
    std::string target_;
};

/// Follows the symbolic links of the path of an existing file; returns any other path unchanged.
[[nodiscard]] std::string real_path(const std::string& path);

}  // namespace rta::os
