// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::store {

/// The file `confirmation` of a state directory: what a restart needs of an edit that waits for its confirmation. A line
/// with the version of the format and the SHA-256 of the rest, and the text of `api`. Replaced atomically: readers see
/// either the old or the new contents, also after a crash. All functions may block on the disk.
class ConfirmationFile {
 public:
    /// The directory must be locked by this process.
    explicit ConfirmationFile(std::string directory) : directory_{std::move(directory)} {}

    [[nodiscard]] std::string path() const;
    /// Returns the text, or nullopt if the file does not exist. INVALID_ARGUMENT: the file is damaged, has another version, or
    /// is not a regular file; UNAVAILABLE: it cannot be read.
    [[nodiscard]] Expected<std::optional<std::string>> read() const;
    /// Replaces the file, and waits until it is on the disk. UNAVAILABLE
    [[nodiscard]] Expected<void> write(std::string_view text) const;
    /// Removes the file, and waits until that is on the disk. Does nothing if it does not exist. UNAVAILABLE
    [[nodiscard]] Expected<void> remove() const;
    /// Renames it to the first free `confirmation.kept-N`. Returns the new path.
    [[nodiscard]] Expected<std::string> rename() const;

    /// Names in the directory.
    static constexpr const char* kName = "confirmation";
    static constexpr const char* kNewName = "confirmation.new";

 private:
    std::string directory_;
};

}  // namespace rta::store
