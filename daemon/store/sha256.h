// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::store {

/// Returns the SHA-256 of the text in hexadecimal. UNAVAILABLE if it cannot be computed. [any]
[[nodiscard]] Expected<std::string> sha256(std::string_view text);

/// Takes one line off the text. [any]
[[nodiscard]] std::string_view take_line(std::string_view& text);

}  // namespace rta::store
