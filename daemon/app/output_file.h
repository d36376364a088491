// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "os/file_replacement.h"
#include "os/unique_fd.h"
#include "text/error.h"

namespace rta::app {

/// An output file of `rtad render`. Written as FILE.partial-XXXXXX, which replaces FILE when it is complete. A path
/// that is not a regular file, such as a device or a pipe, is written directly.
class OutputFile {
 public:
    /// UNAVAILABLE if the file may not be written or another rtad is writing to it.
    [[nodiscard]] static Expected<OutputFile> of(const std::string& path);

    /// Whether a partial file is written, which is removed if it is not completed.
    [[nodiscard]] bool has_partial_file() const { return has_partial_file_; }
    /// Creates the partial file.
    [[nodiscard]] Expected<void> begin();
    /// The file to write, valid after begin().
    [[nodiscard]] const std::string& path() const { return partial_ ? partial_->path() : target_; }
    /// Replaces the output file by the partial file.
    [[nodiscard]] Expected<void> finish();

 private:
    OutputFile() = default;

    std::string target_;
    bool has_partial_file_ = false;
    std::optional<os::FileReplacement> partial_;
    os::UniqueFd lock_;  ///< the file that is replaced, if there is one
};

}  // namespace rta::app
