// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "text/error.h"

namespace rta::api {

/// The files of scenes, implemented by `app`. One function at a time is called, on a worker; each returns when the change is
/// on the disk, and changes nothing if it fails. UNAVAILABLE: the disk.
class SceneFiles {
 public:
    virtual ~SceneFiles() = default;
    [[nodiscard]] virtual Expected<void> write(const std::string& name, const std::string& text) = 0;
    /// Replaces a file of the new name.
    [[nodiscard]] virtual Expected<void> rename(const std::string& name, const std::string& new_name) = 0;
    [[nodiscard]] virtual Expected<void> remove(const std::string& name) = 0;
};

}  // namespace rta::api
