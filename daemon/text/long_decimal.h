// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>

namespace rta::long_decimal {

/// The number d.ddd * 10^exponent; the first digit is 0 only for zero, the last one only there.
struct Digits {
    std::array<char, 17> characters{};
    std::size_t count = 0;
    int exponent = 0;

    [[nodiscard]] std::string_view text() const { return {characters.data(), count}; }
};

/// Returns the fewest decimal digits that read back as `value`, which is finite and at least 0; of these the nearest, and of
/// two as near the even one. Number is float or double. Computes with integers of up to 1,200 bits, without tables.
/// Source: G. L. Steele, J. L. White, "How to print floating-point numbers accurately", PLDI 1990.
template <class Number>
[[nodiscard]] Digits shortest_digits(Number value);

/// As std::from_chars(first, last, value), correctly rounded, but only for decimals: "nan" and "inf" are no numbers.
template <class Number>
std::from_chars_result read(const char* first, const char* last, Number& value);

}  // namespace rta::long_decimal
