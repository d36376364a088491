// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace rta::rtactl {

/// Units that values are written in. The names are those of the protocol's ParameterInfo.unit.
enum class ValueUnit {
    none,     ///< plain numbers and ratios; `50%` is 0.5
    hertz,    ///< `440`, `440Hz`, `2kHz`
    decibel,  ///< `-6`, `-6dB`; `-inf` is -120
    milliseconds,
    seconds,  ///< both take `us`, `ms`, `s`
    frames,   ///< a plain number
    on_off,   ///< on/off, true/false, yes/no, 1/0
    any,      ///< not known: a number is taken with any of the units above, as it is
};

/// Without the blanks around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Of "Hz", "dB", "ms", "s", "on/off", "".
[[nodiscard]] ValueUnit unit_of_symbol(std::string_view symbol);
/// What the end of a name tells: `max_time_ms`, `frequency_hz`. `any` if it tells nothing.
[[nodiscard]] ValueUnit unit_of_name(std::string_view name);

/// The number that `text` stands for, converted to `unit`; finite as a float32. The error is a clause that says what is
/// wrong: `"250ms" is a time, not a frequency (Hz, kHz)`.
[[nodiscard]] std::expected<double, std::string> parse_value(std::string_view text, ValueUnit unit);

/// true for on/true/yes, false for off/false/no, whatever their case.
[[nodiscard]] std::optional<bool> parse_switch(std::string_view text);

/// "440 Hz", "-6 dB", "on", "0.5", with the shortest digits; `symbol` as in ParameterInfo.unit.
[[nodiscard]] std::string format_value(float value, std::string_view symbol);

}  // namespace rta::rtactl
