// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace rta {

/// Units of values, as in ParameterInfo.unit of the protocol.
enum class ValueUnit {
    none,     ///< plain numbers and ratios; `50%` is 0.5
    hertz,    ///< `440`, `440Hz`, `2kHz`
    decibel,  ///< `-6`, `-6dB`; `-inf` is -120
    milliseconds,
    seconds,  ///< both take `us`, `ms`, `s`, `min`, `h`
    frames,   ///< a plain number
    on_off,   ///< on/off, true/false, yes/no, 1/0
    any,      ///< unknown: accepts a number with any of the units above, and does not convert it
};

/// Returns text without surrounding blanks.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Returns the unit for "Hz", "dB", "ms", "s", "on/off" or "".
[[nodiscard]] ValueUnit unit_of_symbol(std::string_view symbol);
/// Returns the unit for the suffix of a name: `max_time_ms`, `frequency_hz`; `any` if it has none.
[[nodiscard]] ValueUnit unit_of_name(std::string_view name);

/// Parses a number and converts it to `unit`. The result is finite as a float32. The error is a clause:
/// `"250ms" is a time; write a frequency (Hz, kHz)`.
[[nodiscard]] std::expected<double, std::string> parse_value(std::string_view text, ValueUnit unit);

/// Returns true for on/true/yes and false for off/false/no, in any case; nullopt otherwise.
[[nodiscard]] std::optional<bool> parse_switch(std::string_view text);

/// Returns "440 Hz", "-6 dB", "on" or "0.5", with the fewest digits. `symbol` is as in ParameterInfo.unit.
[[nodiscard]] std::string format_value(float value, std::string_view symbol);

}  // namespace rta
