// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>

#include "text/long_decimal.h"

namespace rta {

/// As long_decimal::shortest_digits() and long_decimal::read(), which WebAssembly uses: the tables of the C++ library, which
/// is faster, would be a tenth of the compressed module.
template <class Number>
[[nodiscard]] long_decimal::Digits shortest_digits(Number value);
template <class Number>
std::from_chars_result read_decimal(const char* first, const char* last, Number& value);

}  // namespace rta
