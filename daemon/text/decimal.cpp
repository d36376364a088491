// SPDX-License-Identifier: MIT
#include "text/decimal.h"

#include <array>
#include <charconv>

namespace rta {

#ifdef __wasm__

template <class Number>
long_decimal::Digits shortest_digits(Number value) {
    return long_decimal::shortest_digits(value);
}

template <class Number>
std::from_chars_result read_decimal(const char* first, const char* last, Number& value) {
    return long_decimal::read(first, last, value);
}

#else

template <class Number>
long_decimal::Digits shortest_digits(Number value) {
    std::array<char, 32> buffer{};  // d.dddddddddddddddde-324 is 22
    const auto written = std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::scientific);
    long_decimal::Digits digits;
    const char* at = buffer.begin();
    for (; *at != 'e'; ++at) {
        if (*at != '.') digits.characters[digits.count++] = *at;
    }
    at += at[1] == '+' ? 2 : 1;
    std::from_chars(at, written.ptr, digits.exponent);
    return digits;
}

template <class Number>
std::from_chars_result read_decimal(const char* first, const char* last, Number& value) {
    const char* const digits = first != last && *first == '-' ? first + 1 : first;
    // std::from_chars would accept "nan" and "infinity".
    if (digits == last || ((*digits < '0' || *digits > '9') && *digits != '.'))
        return {first, std::errc::invalid_argument};
    return std::from_chars(first, last, value);
}

#endif

template long_decimal::Digits shortest_digits<float>(float value);
template long_decimal::Digits shortest_digits<double>(double value);
template std::from_chars_result read_decimal<float>(const char* first, const char* last, float& value);
template std::from_chars_result read_decimal<double>(const char* first, const char* last, double& value);

}  // namespace rta
