// SPDX-License-Identifier: MIT
#include "text/access_token.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <span>
#include <string>

#include "text/quoting.h"

namespace rta {
namespace {

constexpr std::size_t kLongestName = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_word_character(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

struct TimeUnit {
    std::string_view symbol;
    double length_s;
};
constexpr std::array kTimeUnits{TimeUnit{"d", 86'400.0}, TimeUnit{"h", 3'600.0}, TimeUnit{"min", 60.0},
                                TimeUnit{"s", 1.0}};

std::string two_digits(unsigned value) { return (value < 10 ? "0" : "") + std::to_string(value); }

}  // namespace

bool is_token(std::string_view text) {
    // The characters of base64url are those of a name.
    return text.size() == kTokenPrefix.size() + kTokenDigits && text.starts_with(kTokenPrefix) &&
           std::ranges::all_of(text.substr(kTokenPrefix.size()), is_word_character);
}

bool is_token_name(std::string_view text) {
    return !text.empty() && text.size() <= kLongestName && is_letter(text.front()) &&
           std::ranges::all_of(text, is_word_character) && text != kLoopbackAuthor;
}

std::expected<std::int64_t, std::string> parse_lifetime(std::string_view text) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view symbol = error == std::errc{} ? std::string_view{rest, end} : "?";
    const std::span<const TimeUnit> units{kTimeUnits};
    const auto unit = std::ranges::find(units, symbol, &TimeUnit::symbol);
    if (unit == units.end()) {
        return std::unexpected(quoted(text) + (symbol.empty() ? " has no unit" : " is not a lifetime") +
                               "; expected a time, such as 30d, 12h, 90min or 600s");
    }
    const double seconds = std::round(number * unit->length_s);
    if (!(seconds >= 1.0 && seconds <= static_cast<double>(kLongestLifetimeS)))
        return std::unexpected(quoted(text) + " is out of range; expected 1s to 36525d");
    return static_cast<std::int64_t>(seconds);
}

std::string utc_text(std::int64_t unix_s) {
    using namespace std::chrono;
    const sys_seconds moment{seconds{unix_s}};
    const sys_days day = floor<days>(moment);
    const year_month_day date{day};
    const hh_mm_ss<seconds> time{moment - day};
    return std::to_string(static_cast<int>(date.year())) + "-" + two_digits(static_cast<unsigned>(date.month())) + "-" +
           two_digits(static_cast<unsigned>(date.day())) + "T" +
           two_digits(static_cast<unsigned>(time.hours().count())) + ":" +
           two_digits(static_cast<unsigned>(time.minutes().count())) + ":" +
           two_digits(static_cast<unsigned>(time.seconds().count())) + "Z";
}

}  // namespace rta
