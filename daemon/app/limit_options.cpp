// SPDX-License-Identifier: MIT
#include "app/limit_options.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::app {
namespace {

/// Parses a whole number. Returns nothing if there is anything else.
std::optional<std::uint64_t> parse_count(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Parses a number of bytes, such as 4096, 512KiB or 4 MiB.
std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, unsigned>, 4> kUnits{
        {{"KiB", 10U}, {"MiB", 20U}, {"GiB", 30U}, {"TiB", 40U}}};
    for (const auto& [unit, shift] : kUnits) {
        if (!text.ends_with(unit)) continue;
        const auto value = parse_count(trimmed(text.substr(0, text.size() - unit.size())));
        if (!value || *value > (~std::uint64_t{0} >> shift)) return std::nullopt;
        return *value << shift;
    }
    return parse_count(text);
}

std::optional<std::uint64_t> parse_time(std::string_view text) {
    const auto seconds = parse_value(text, ValueUnit::seconds);
    constexpr double kMostS = 1e9;
    if (!seconds || !(*seconds >= 0.0) || *seconds > kMostS) return std::nullopt;
    return static_cast<std::uint64_t>(std::llround(*seconds * 1e6));
}

std::optional<std::uint64_t> parse(LimitUnit unit, std::string_view text) {
    switch (unit) {
        case LimitUnit::count:
            return parse_count(trimmed(text));
        case LimitUnit::bytes:
            return parse_bytes(trimmed(text));
        case LimitUnit::time:
            return parse_time(text);
    }
    return std::nullopt;
}

const char* type_name(LimitUnit unit) {
    switch (unit) {
        case LimitUnit::count:
            return "N";
        case LimitUnit::bytes:
            return "SIZE";
        case LimitUnit::time:
            return "TIME";
    }
    return "";
}

std::string expected_words(const Limit& row) {
    std::string range = (row.or_zero ? "0, or " : "") + ("from " + limit_text(row.unit, row.lowest)) + " to " +
                        limit_text(row.unit, row.highest);
    switch (row.unit) {
        case LimitUnit::count:
            return "a whole number " + range;
        case LimitUnit::bytes:
            return "bytes, or a size such as 512KiB or 4MiB, " + range;
        case LimitUnit::time:
            return "seconds, or a time such as 250ms or 2min, " + range;
    }
    return range;
}

}  // namespace

void define_limits(CLI::App& app, Limits& limits) {
    for (const Limit& row : limit_table()) {
        const auto set = [&limits, &row](const std::string& text) { row.set(limits, parse(row.unit, text).value()); };
        const auto check = [&row](const std::string& text) {
            const auto value = parse(row.unit, text);
            if (value && row.accepts(*value)) return std::string{};
            return "invalid " + std::string{row.key} + " " + quoted(text) + ": expected " + expected_words(row);
        };
        app.add_option_function<std::string>("--" + std::string{row.key}, set, std::string{row.help})
            ->type_name(type_name(row.unit))
            ->check(check)
            ->default_str(limit_text(row.unit, row.get(limits)))
            ->group("Limits (docs/administration.md)");
    }
}

}  // namespace rta::app
