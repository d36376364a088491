// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace rta::json {

/// Returns the nearest number to a JSON number literal: 0 if it is smaller than the smallest number of that type,
/// nothing if it is greater than the greatest.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view literal);

/// Whether a JSON number can hold the character.
[[nodiscard]] bool is_number_character(char c);

/// Returns the characters from `begin` on that can be part of a number.
[[nodiscard]] std::string_view number_at(std::string_view text, std::size_t begin);

}  // namespace rta::json
