// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rta {

/// Returns the number of terminal columns that a printable text takes: 2 for a wide or fullwidth character, 0 for a
/// combining mark, 1 for anything else, and 1 for each byte that is not valid UTF-8. Unlike wcswidth(), the result does
/// not depend on the locale. [any]
[[nodiscard]] std::size_t display_width(std::string_view text);

/// Returns the longest beginning of `text` that is at most `columns` wide. Combining marks stay with their character.
/// [any]
[[nodiscard]] std::string_view fitting_prefix(std::string_view text, std::size_t columns);

/// Returns `text`, or if it is wider than `columns`, its beginning and "..." within `columns`. `columns` > 3. [any]
[[nodiscard]] std::string with_ellipsis(std::string_view text, std::size_t columns);

}  // namespace rta
