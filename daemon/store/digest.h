// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::store {

inline constexpr std::size_t kDigestBytes = 32;

/// Returns the SHA-256 of the text, as bytes. UNAVAILABLE if it cannot be computed. [any]
[[nodiscard]] Expected<std::string> sha256(std::string_view text);
/// Returns the same as 64 hexadecimal digits.
[[nodiscard]] Expected<std::string> sha256_digits(std::string_view text);

}  // namespace rta::store
