// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "os/file_identity.h"
#include "text/error.h"

namespace rta::store {

/// Contents of a file, and its version.
struct StateFile {
    std::string text;
    os::FileVersion version;
};

/// Returns the file `name` in `folder`, or nullopt if it does not exist. `path` is for errors. Never waits for a FIFO or a
/// device. INVALID_ARGUMENT if it is not a regular file, or is longer; UNAVAILABLE if it cannot be read, or if it is not
/// known whether it exists.
[[nodiscard]] Expected<std::optional<StateFile>> read_state_file(int folder, const char* name, const std::string& path,
                                                                 std::size_t longest_bytes);

/// Returns whether something has this name that is neither a regular file nor a symbolic link to one or to a missing one.
[[nodiscard]] bool is_odd_file(int folder, const char* name);

}  // namespace rta::store
