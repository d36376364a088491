// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "os/unique_fd.h"
#include "text/error.h"

namespace rta::media {

/// Checks the name of a file in a media folder: a relative path of at most kLongestName bytes of printable UTF-8, without
/// empty components, `.` and `..`. Errors: INVALID_ARGUMENT. [any]
[[nodiscard]] Expected<void> check_media_name(std::string_view name);
inline constexpr std::size_t kLongestName = 1024;

/// The folders of --media-dir, held open from the start. Files are named by their paths relative to a folder, and no name
/// leads out of it: see os::open_beneath(). [any]
class MediaFolders {
 public:
    /// Errors: NOT_FOUND or UNAVAILABLE, with the folder that cannot be opened.
    [[nodiscard]] static Expected<MediaFolders> open(const std::vector<std::string>& paths);

    /// Opens a file to read: that of the first folder that has it. Errors: INVALID_ARGUMENT for a bad name, or if it is
    /// not a regular file or lies behind a symbolic link; NOT_FOUND; PERMISSION_DENIED; UNAVAILABLE;
    /// FAILED_PRECONDITION without a folder.
    [[nodiscard]] Expected<os::UniqueFd> open_to_read(std::string_view name) const;
    /// Creates a file to write in the first folder, mode 0666 less the umask. Never replaces a file. Errors: as above;
    /// ALREADY_EXISTS.
    [[nodiscard]] Expected<os::UniqueFd> create(std::string_view name) const;

    [[nodiscard]] bool empty() const { return folders_.empty(); }

 private:
    [[nodiscard]] Expected<void> check(std::string_view name) const;

    std::vector<os::UniqueFd> folders_;
};

}  // namespace rta::media
