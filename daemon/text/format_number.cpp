// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>

#include "text/decimal.h"
#include "text/format_number.h"

namespace rta {

namespace {

/// Writes the shortest digits that read back as the same number, without an exponent from 1e-7 to 1e21, as JavaScript
/// does.
template <class Number>
std::string shortest(Number value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";

    const auto [characters, count, exponent] = shortest_digits(std::abs(value));
    const std::string digits(characters.data(), count);

    std::string out = std::signbit(value) ? "-" : "";
    if (exponent < -7 || exponent >= 21) {
        out += digits.front();
        if (digits.size() > 1) out.append(".").append(digits, 1);
        return out.append("e").append(std::to_string(exponent));
    }
    if (exponent < 0) return out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0').append(digits);
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() <= whole) return out.append(digits).append(whole - digits.size(), '0');
    return out.append(digits, 0, whole).append(".").append(digits, whole);
}

/// Returns the number of digits after the point; nothing if the number is written with an exponent, or is not finite.
std::optional<int> decimal_places(float value) {
    const std::string text = shortest(value);
    if (!std::isfinite(value) || text.find('e') != std::string::npos) return std::nullopt;
    const std::size_t point = text.find('.');
    return point == std::string::npos ? 0 : static_cast<int>(text.size() - point - 1);
}

}  // namespace

std::string format_number(float value) { return shortest(value); }
std::string format_number(double value) { return shortest(value); }

float decimal_sum(float a, float b) {
    const double sum = static_cast<double>(a) + static_cast<double>(b);
    const std::optional<int> places_a = decimal_places(a);
    const std::optional<int> places_b = decimal_places(b);
    // Beyond 2^53 a double has no decimal places.
    const double factor = std::pow(10.0, places_a && places_b ? std::max(*places_a, *places_b) : 0);
    if (!places_a || !places_b || std::abs(sum) * factor >= 0x1p53) return static_cast<float>(sum);
    return static_cast<float>(std::round(sum * factor) / factor);
}

}  // namespace rta
