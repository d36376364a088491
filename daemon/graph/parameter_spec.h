// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "dsp/ramp.h"

namespace rta {

enum class Unit : std::uint8_t { none, hertz, decibel, ratio, milliseconds, seconds, on_off };

/// How a parameter gets from its old value to its new one. The engine computes the ramp, once for all nodes.
enum class RampLaw : std::uint8_t {
    linear,       ///< equal steps of the value
    logarithmic,  ///< equal ratios: frequencies
    amplitude,    ///< in dB for people; the node is handed the linear gain (silence is exactly 0), which ramps linearly
    on_off,       ///< 0 or 1; the node is handed a linear cross-fade between them
    own,          ///< handed over at once: the node does its own smoothing
};

/// A row of a table that stands for as many as an integer setting says. Its name holds a # for the number, from 1:
/// `gain_#_db`. With `less`, there are so many fewer: a crossover has one frequency fewer than ways. A setting that is on
/// or off counts as 1 or 0: a port that is there only when asked for, and needs no number.
struct Repeat {
    std::string_view setting = {};  ///< empty: the row stands for itself
    std::uint32_t less = 0;

    [[nodiscard]] constexpr bool given() const { return !setting.empty(); }
};

/// One row of a node's parameter table: the only place where a parameter's name, unit, range, default, law and help are
/// written. Validation, the protocol, `rtactl types` and the documentation all read it here.
struct ParameterSpec {
    std::string_view name;  ///< `[a-z][a-z0-9_]*`, with its unit at the end: frequency_hz
    Unit unit;
    float minimum;
    float maximum;
    float default_value;
    std::string_view help;  ///< one sentence
    RampLaw law = RampLaw::linear;
    Repeat repeat = {};
    Repeat repeat_inner = {};     ///< for names with two numbers: `gain_#_#_db`; counts faster than `repeat`
    float default_factor = 1.0F;  ///< the default of row n is default_value * default_factor^(n - 1), within the range
    /// A number setting that lowers the maximum, and the default with it, where it is the smaller; above the minimum.
    std::string_view maximum_setting = {};
};

/// A level: from -120 dB, which is silence, to +24 dB.
[[nodiscard]] constexpr ParameterSpec level_db(std::string_view name, float default_db, std::string_view help) {
    return {name, Unit::decibel, -120.0F, 24.0F, default_db, help, RampLaw::amplitude};
}

/// The same row, as many times as `setting` says; its name holds a #.
[[nodiscard]] constexpr ParameterSpec repeated(ParameterSpec spec, std::string_view setting, std::uint32_t less = 0) {
    spec.repeat = {setting, less};
    return spec;
}

[[nodiscard]] constexpr ParameterSpec on_off(std::string_view name, bool default_on, std::string_view help) {
    return {name, Unit::on_off, 0.0F, 1.0F, default_on ? 1.0F : 0.0F, help, RampLaw::on_off};
}

/// Checked at compile time for every table: `static_assert(well_formed(kParameters));`
[[nodiscard]] consteval bool well_formed(const auto& table) {
    for (const ParameterSpec& spec : table) {
        if (spec.name.empty() || spec.help.empty() || spec.help.back() != '.') return false;
        int numbers = 0;
        for (const char c : spec.name) {
            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '#')) return false;
            numbers += c == '#' ? 1 : 0;
        }
        if (numbers != (spec.repeat.given() ? 1 : 0) + (spec.repeat_inner.given() ? 1 : 0)) return false;
        if (!(spec.minimum < spec.maximum)) return false;
        if (!(spec.minimum <= spec.default_value && spec.default_value <= spec.maximum)) return false;
        if (spec.law == RampLaw::logarithmic && !(spec.minimum > 0.0F)) return false;
        int same = 0;
        for (const ParameterSpec& other : table) same += other.name == spec.name ? 1 : 0;
        if (same != 1) return false;
    }
    return true;
}

/// The spelling of a unit: "Hz", "dB", "ms", "s", "" for plain numbers and ratios, "on/off".
[[nodiscard]] std::string_view unit_symbol(Unit unit) noexcept;
/// "linear", "logarithmic", ...
[[nodiscard]] std::string_view ramp_law_name(RampLaw law) noexcept;

}  // namespace rta
