// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

namespace rta {

/// Returns the shortest decimal that reads back as the same number: "440", "-12.5", "0.1".
[[nodiscard]] std::string format_number(float value);
[[nodiscard]] std::string format_number(double value);

/// Returns a + b, rounded to the decimal places of both as format_number() writes them, so that adding 0.1 ten times adds
/// exactly 1.
[[nodiscard]] float decimal_sum(float a, float b);

/// Returns an upper bound of the length of format_number() for the floats from `minimum` to `maximum`, both finite.
[[nodiscard]] constexpr std::size_t longest_number(float minimum, float maximum) {
    const std::size_t sign = minimum < 0.0F ? 1 : 0;
    const float greatest = std::max(-minimum, maximum);
    if (minimum >= 1.0F && greatest < 1e9F) return 10;  // 12345.6789: the shortest digits are up to 9
    if (greatest < 1e17F) return sign + 17;             // 0.000000123456789
    return sign + 21;                                   // 100000000000000000000
}

}  // namespace rta
