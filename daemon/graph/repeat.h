// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rta {

/// The row is repeated: the value of a setting, minus `less`, is the count. A crossover has one frequency fewer than
/// ways. The name of the row contains a # for the number, from 1: `gain_#_db`. An on/off setting counts as 1 or 0: an
/// optional port needs no number.
struct Repeat {
    std::string_view setting = {};  ///< empty: not repeated
    std::uint32_t less = 0;

    [[nodiscard]] constexpr bool given() const { return !setting.empty(); }
};

/// Returns the name with its first # replaced by `number`. [any]
[[nodiscard]] std::string numbered(std::string_view name, std::uint32_t number);

/// Returns the number that `name` has in place of the # of `pattern`, without leading zeros, or nothing if the name does
/// not match. [any]
[[nodiscard]] std::optional<std::uint32_t> number_in(std::string_view pattern, std::string_view name);

}  // namespace rta
