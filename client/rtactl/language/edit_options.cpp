// SPDX-License-Identifier: MIT
#include "rtactl/language/edit_options.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "rtactl/language/whole_number.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl {
namespace {

constexpr double kLongestS = 86'400;             // When.in_s
constexpr double kLongestConfirmationS = 600.0;  // ApplyTransaction.confirm_within_s
constexpr double kLongestRampMs = 600'000;       // SetParameter.ramp_ms, RecallScene.fade_ms

/// Removes a whole number of at most `digits` digits from the front, followed by `separator` unless that is 0.
std::optional<unsigned> take_number(std::string_view& text, std::size_t digits, char separator) {
    unsigned value = 0;
    const std::string_view number = text.substr(0, digits);
    const auto [last, fault] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (fault != std::errc{} || number.size() != digits || last != number.data() + digits) return std::nullopt;
    text.remove_prefix(digits);
    if (separator == 0) return value;
    if (!text.starts_with(separator)) return std::nullopt;
    text.remove_prefix(1);
    return value;
}

/// Reads the fraction of a second, in microseconds, and the Z that ends a UTC time.
std::optional<std::int64_t> take_end(std::string_view text) {
    std::int64_t fraction_us = 0;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        std::int64_t unit_us = 100'000;
        std::size_t digits = 0;
        for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits, unit_us /= 10)
            fraction_us += (text[digits] - '0') * unit_us;
        if (digits == 0) return std::nullopt;
        text.remove_prefix(digits);
    }
    if (text != "Z") return std::nullopt;
    return fraction_us;
}

std::optional<std::int64_t> parse_utc_us(std::string_view text) {
    const auto year = take_number(text, 4, '-');
    const auto month = year ? take_number(text, 2, '-') : std::nullopt;
    const auto day = month ? take_number(text, 2, 'T') : std::nullopt;
    const auto hour = day ? take_number(text, 2, ':') : std::nullopt;
    const auto minute = hour ? take_number(text, 2, ':') : std::nullopt;
    const auto second = minute ? take_number(text, 2, 0) : std::nullopt;
    const auto fraction_us = second ? take_end(text) : std::nullopt;
    if (!fraction_us || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    using namespace std::chrono;
    const year_month_day date{std::chrono::year{static_cast<int>(*year)}, std::chrono::month{*month},
                              std::chrono::day{*day}};
    if (!date.ok()) return std::nullopt;
    const auto time = sys_days{date} + hours{*hour} + minutes{*minute} + seconds{*second};
    return duration_cast<microseconds>(time.time_since_epoch()).count() + *fraction_us;
}

Result<std::uint32_t> parse_confirm_within(std::string_view text) {
    const auto within_s = parse_value(text, ValueUnit::seconds);
    if (!within_s) return usage_error("--confirm-within: " + within_s.error());
    if (*within_s < 1.0 || *within_s > kLongestConfirmationS || *within_s != std::floor(*within_s)) {
        return usage_error("--confirm-within: " + quoted(text) + " is invalid; expected 1s to 10min, in whole seconds");
    }
    return static_cast<std::uint32_t>(*within_s);
}

/// Reads a percentage, such as 80%, as a share.
Result<float> parse_max_load(std::string_view text) {
    std::string_view number = text;
    if (number.ends_with('%')) number.remove_suffix(1);
    while (number.ends_with(' ')) number.remove_suffix(1);
    float percent = 0.0F;
    const auto [last, fault] = std::from_chars(number.data(), number.data() + number.size(), percent);
    const bool whole = fault == std::errc{} && last == number.data() + number.size();
    if (whole && percent > 0.0F && percent <= 100.0F) return percent / 100.0F;
    return usage_error("--max-load: " + quoted(text) +
                       " is not a load; expected a percentage of more than 0% and at most 100%, such as 80%");
}

}  // namespace

Result<v1::When> parse_when(std::string_view text) {
    v1::When when;
    if (text.starts_with('+')) {
        const auto later_s = parse_value(text.substr(1), ValueUnit::seconds);
        if (!later_s) return usage_error("--at: " + later_s.error());
        if (*later_s < 0 || *later_s > kLongestS)
            return usage_error("--at: " + quoted(text) + " is out of range; expected +0 to +86400 s (24 h)");
        when.set_in_s(*later_s);
        return when;
    }
    if (const auto frame = parse_whole_number(text)) {
        when.set_frame(*frame);
        return when;
    }
    if (const auto utc_us = parse_utc_us(text)) {
        when.set_utc_us(*utc_us);
        return when;
    }
    return usage_error(
        "--at: " + quoted(text) +
        " is not a time; expected +2s, a frame such as 480000, or a UTC time such as 2026-12-01T20:15:00Z");
}

Result<std::optional<float>> read_milliseconds(const Arguments& arguments, std::string_view option) {
    const auto text = arguments.value(option);
    if (!text) return std::nullopt;
    const std::string name = std::string{option} + ": ";
    const auto time = parse_value(*text, ValueUnit::milliseconds);
    if (!time) return usage_error(name + time.error());
    // The daemon would report the nearest float.
    if (*time < 0 || *time > kLongestRampMs)
        return usage_error(name + quoted(*text) + " is out of range; expected 0 to 600000 ms");
    return static_cast<float>(*time);
}

Result<EditOptions> read_edit_options(const Arguments& arguments) {
    EditOptions options{.dry_run = arguments.has("--dry-run")};
    if (const auto given = arguments.value("--at")) {
        auto when = parse_when(*given);
        if (!when) return std::unexpected(std::move(when.error()));
        options.at = std::move(*when);
    }
    if (const auto given = arguments.value("--max-load")) {
        const auto max_load = parse_max_load(*given);
        if (!max_load) return std::unexpected(max_load.error());
        options.max_load = *max_load;
    }
    if (const auto given = arguments.value(kConfirmWithin.name)) {
        const auto within_s = parse_confirm_within(*given);
        if (!within_s) return std::unexpected(within_s.error());
        options.confirm_within_s = *within_s;
        if (options.at) return usage_error("--at and --confirm-within: expected one of the two");
    }
    const auto given = arguments.value("--expect");
    if (!given) return options;
    options.expected_revision = parse_whole_number(*given);
    if (options.expected_revision) return options;
    return usage_error("--expect: " + quoted(*given) +
                       " is not a revision; expected a whole number, as printed by `rtactl status`");
}

}  // namespace rta::rtactl
