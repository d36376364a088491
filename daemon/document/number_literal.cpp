// SPDX-License-Identifier: MIT
#include "document/number_literal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <system_error>

#include "text/decimal.h"

namespace rta::json {

namespace {

/// Returns the power of ten of the first digit that is not 0. `literal` is a JSON number.
std::int64_t decimal_exponent(std::string_view literal) {
    if (literal.starts_with('-')) literal.remove_prefix(1);
    const std::size_t e = std::min(literal.find_first_of("eE"), literal.size());
    const std::size_t point = std::min(literal.find('.'), e);
    const std::size_t first = std::min(literal.find_first_of("123456789"), e);
    const auto digit_exponent =
        static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) - (first < point ? 1 : 0);
    if (e == literal.size()) return digit_exponent;

    const bool negative = literal[e + 1] == '-';
    const std::string_view power = literal.substr(literal.find_first_of("0123456789", e));
    std::int64_t value = 0;
    const auto read = std::from_chars(power.data(), power.data() + power.size(), value);
    constexpr std::int64_t kBeyondAnyText = std::int64_t{1} << 40U;
    if (read.ec != std::errc{} || value > kBeyondAnyText) value = kBeyondAnyText;
    return digit_exponent + (negative ? -value : value);
}

}  // namespace

template <class Number>
std::optional<Number> parse_number(std::string_view literal) {
    Number value{};
    const auto read = read_decimal(literal.data(), literal.data() + literal.size(), value);
    if (read.ec == std::errc{} && std::isfinite(value)) return value;
    // read_decimal has one error for too large and too small.
    if (decimal_exponent(literal) < 0) return literal.starts_with('-') ? Number{-0.0F} : Number{0.0F};
    return std::nullopt;
}

template std::optional<float> parse_number<float>(std::string_view literal);
template std::optional<double> parse_number<double>(std::string_view literal);

bool is_number_character(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

std::string_view number_at(std::string_view text, std::size_t begin) {
    std::size_t end = begin;
    while (end < text.size() && is_number_character(text[end])) ++end;
    return text.substr(begin, end - begin);
}

}  // namespace rta::json
