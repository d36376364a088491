// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "rta/error.h"

namespace rta::client {

/// Reads the access token in a file: one line. Refuses a file of this user that other users may access, as ssh does with
/// its keys. The error is `bad_token`; its sentence does not contain what the file contains.
[[nodiscard]] Expected<std::string> read_token_file(const std::string& path);

}  // namespace rta::client
