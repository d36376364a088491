// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace rta::app {

/// Returns the folder of the page for --web: share/rtad/web of the installation, or of the build tree, of which the running
/// program is a part. `program` is a symbolic link to that program. If it cannot be read, such as without /proc, returns the
/// folder in the prefix for which rtad was configured. [any]
[[nodiscard]] std::string page_folder(const std::string& program = "/proc/self/exe");

}  // namespace rta::app
