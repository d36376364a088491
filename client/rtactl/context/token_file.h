// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "rtactl/language/failure.h"

namespace rta::rtactl {

/// Reads the access token in a file: one line. Refuses a file of this user that other users may access, as ssh does with
/// its keys. Errors do not contain what the file contains.
[[nodiscard]] Result<std::string> read_token(const std::string& path);

}  // namespace rta::rtactl
