// SPDX-License-Identifier: MIT
#include "text/quantity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "text/decimal.h"
#include "text/format_number.h"
#include "text/quoting.h"

namespace rta {

namespace {

/// All levels treat -120 dB as silence.
constexpr double kSilenceDb = -120.0;

enum class Dimension { number, frequency, level, time };

/// A unit as written after a number.
struct Suffix {
    std::string_view text;  ///< in lower case
    Dimension dimension;
    double factor;  ///< into Hz, dB, seconds, or a plain number
};

constexpr std::array kSuffixes{
    Suffix{"hz", Dimension::frequency, 1.0},  Suffix{"khz", Dimension::frequency, 1'000.0},
    Suffix{"db", Dimension::level, 1.0},      Suffix{"us", Dimension::time, 1e-6},
    Suffix{"\u00b5s", Dimension::time, 1e-6}, Suffix{"ms", Dimension::time, 1e-3},
    Suffix{"s", Dimension::time, 1.0},        Suffix{"min", Dimension::time, 60.0},
    Suffix{"h", Dimension::time, 3'600.0},    Suffix{"%", Dimension::number, 0.01},
};

struct UnitInfo {
    Dimension dimension;
    double in_base;  ///< factor to the base unit of the dimension
    std::string_view described;
};

UnitInfo info_of(ValueUnit unit) {
    switch (unit) {
        case ValueUnit::hertz:
            return {Dimension::frequency, 1.0, "a frequency (Hz, kHz)"};
        case ValueUnit::decibel:
            return {Dimension::level, 1.0, "a level (dB)"};
        case ValueUnit::milliseconds:
            return {Dimension::time, 1e-3, "a time (us, ms, s, min, h)"};
        case ValueUnit::seconds:
            return {Dimension::time, 1.0, "a time (us, ms, s, min, h)"};
        case ValueUnit::on_off:
            return {Dimension::number, 1.0, "on or off"};
        case ValueUnit::frames:
            return {Dimension::number, 1.0, "a number of frames"};
        case ValueUnit::none:
        case ValueUnit::any:
            break;
    }
    return {Dimension::number, 1.0, "a plain number"};
}

std::string_view described(Dimension dimension) {
    switch (dimension) {
        case Dimension::frequency:
            return "a frequency";
        case Dimension::level:
            return "a level";
        case Dimension::time:
            return "a time";
        case Dimension::number:
            break;
    }
    return "a plain number";
}

std::string to_lower(std::string_view text) {
    std::string small{text};
    std::ranges::transform(small, small.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return small;
}

struct Quantity {
    double number;
    std::string suffix;  ///< in lower case
};

/// Splits text into a number and a suffix; nullopt if it does not start with a number.
std::optional<Quantity> split(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    double number = 0;
    if (to_lower(digits.substr(0, 3)) == "inf") {
        number =
            text.starts_with('-') ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
        text = digits.substr(3);
    } else {
        const auto [end, error] = read_decimal(text.data(), text.data() + text.size(), number);
        if (error == std::errc::invalid_argument) return std::nullopt;
        if (error == std::errc::result_out_of_range) number = std::numeric_limits<double>::infinity();
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    }
    return Quantity{number, to_lower(trimmed(text))};
}

const Suffix* find_suffix(std::string_view text) {
    for (const Suffix& suffix : kSuffixes) {
        if (suffix.text == text) return &suffix;
    }
    return nullptr;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

ValueUnit unit_of_symbol(std::string_view symbol) {
    if (symbol == "Hz") return ValueUnit::hertz;
    if (symbol == "dB") return ValueUnit::decibel;
    if (symbol == "ms") return ValueUnit::milliseconds;
    if (symbol == "s") return ValueUnit::seconds;
    if (symbol == "on/off") return ValueUnit::on_off;
    if (symbol.empty()) return ValueUnit::none;
    return ValueUnit::any;  // a unit that only a newer daemon knows
}

ValueUnit unit_of_name(std::string_view name) {
    if (name.ends_with("_hz")) return ValueUnit::hertz;
    if (name.ends_with("_db")) return ValueUnit::decibel;
    if (name.ends_with("_ms")) return ValueUnit::milliseconds;
    if (name.ends_with("_s")) return ValueUnit::seconds;
    if (name.ends_with("_frames")) return ValueUnit::frames;
    return ValueUnit::any;
}

std::optional<bool> parse_switch(std::string_view text) {
    const std::string word = to_lower(trimmed(text));
    if (word == "on" || word == "true" || word == "yes") return true;
    if (word == "off" || word == "false" || word == "no") return false;
    return std::nullopt;
}

std::expected<double, std::string> parse_value(std::string_view text, ValueUnit unit) {
    const UnitInfo wanted = info_of(unit);
    const auto refuse = [&](std::string_view what) {
        return std::unexpected(quoted(text) + " is " + std::string{what} + "; write " + std::string{wanted.described});
    };
    if (unit == ValueUnit::on_off || unit == ValueUnit::any) {
        if (const auto on = parse_switch(text)) return *on ? 1.0 : 0.0;
    }
    if (trimmed(text).empty()) return refuse("empty");
    const auto quantity = split(text);
    if (!quantity) return refuse(unit == ValueUnit::on_off ? "neither on nor off" : "not a number");

    double value = quantity->number;
    if (!quantity->suffix.empty()) {
        const Suffix* suffix = find_suffix(quantity->suffix);
        if (suffix == nullptr) return refuse("a number with an unknown unit");
        if (unit != ValueUnit::any) {
            if (suffix->dimension != wanted.dimension || unit == ValueUnit::on_off || unit == ValueUnit::frames)
                return refuse(described(suffix->dimension));
            // Divides by 1000 rather than multiply by 0.001, so that 250 ms is exactly 0.25 s.
            const double factor = suffix->factor / wanted.in_base;
            value = factor < 1.0 ? value / std::round(1.0 / factor) : value * std::round(factor);
        }
    }
    if (std::isinf(value) && value < 0 && unit == ValueUnit::decibel) return kSilenceDb;
    if (!(std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()))) return refuse("out of range");
    return value;
}

std::string format_value(float value, std::string_view symbol) {
    if (symbol == "on/off") return value == 0.0F ? "off" : value == 1.0F ? "on" : format_number(value);
    return symbol.empty() ? format_number(value) : format_number(value) + " " + std::string{symbol};
}

}  // namespace rta
