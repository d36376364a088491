// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dsp/ramp.h"
#include "graph/repeat.h"

namespace rta {

enum class Unit : std::uint8_t { none, hertz, decibel, ratio, milliseconds, seconds, on_off };

/// The form of a ramp from one value to another. The engine computes the ramps for all nodes.
enum class RampLaw : std::uint8_t {
    linear,       ///< linear in the value
    logarithmic,  ///< linear in the logarithm of the value, for frequencies
    amplitude,    ///< in dB for users; the node receives the gain factor (silence is exactly 0), which ramps linearly
    on_off,       ///< 0 or 1; the node receives a linear crossfade between them
    own,          ///< passed on immediately: the node smooths the change itself
};

/// One row of a node's parameter table: the single definition of a parameter, used by validation, the protocol, `rtactl
/// types` and the documentation.
struct ParameterSpec {
    std::string_view name;  ///< `[a-z][a-z0-9_]*`, ending in the unit: frequency_hz
    Unit unit;
    float minimum;
    float maximum;
    float default_value;
    std::string_view help;  ///< one sentence
    RampLaw law = RampLaw::linear;
    Repeat repeat = {};
    Repeat repeat_inner = {};     ///< for names with two numbers, such as `gain_#_#_db`; varies faster than `repeat`
    float default_factor = 1.0F;  ///< the default of row n is default_value * default_factor^(n - 1), within the range
    /// A number setting that limits the maximum and the default; always above the minimum.
    std::string_view maximum_setting = {};
    /// The maximum is this part of the sample rate, and `maximum` is that at kTableRateHz. 0: the maximum is fixed.
    double maximum_rate_fraction = 0.0;
    /// The maximum of earlier versions, if it was higher. Documents with such values load, with the present maximum.
    std::optional<float> older_maximum = {};
};

/// The sample rate for which the tables state maxima that follow the rate.
inline constexpr double kTableRateHz = 48'000.0;
/// The lowest sample rate of the daemon; see io::kMinimumSampleRateHz.
inline constexpr double kLowestRateHz = 8'000.0;

/// Returns the row with the maximum for a sample rate, which also limits the default.
[[nodiscard]] constexpr ParameterSpec at_rate(ParameterSpec spec, double sample_rate_hz) {
    if (spec.maximum_rate_fraction == 0.0) return spec;
    spec.maximum = static_cast<float>(spec.maximum_rate_fraction * sample_rate_hz);
    spec.default_value = std::min(spec.default_value, spec.maximum);
    return spec;
}

/// Returns the row of the corner frequency of a filter: up to 0.49 of the sample rate.
[[nodiscard]] constexpr ParameterSpec corner_hz(std::string_view name, float minimum, float default_value,
                                                std::string_view help) {
    ParameterSpec spec{name, Unit::hertz, minimum, 0.0F, default_value, help, RampLaw::logarithmic};
    spec.maximum_rate_fraction = 0.49;
    spec.maximum = static_cast<float>(spec.maximum_rate_fraction * kTableRateHz);
    return spec;
}

/// Returns the row of a level from -120 dB, which is silence, to +24 dB.
[[nodiscard]] constexpr ParameterSpec level_db(std::string_view name, float default_db, std::string_view help) {
    return {name, Unit::decibel, -120.0F, 24.0F, default_db, help, RampLaw::amplitude};
}

/// Returns the row, repeated as many times as `setting` specifies; its name must contain a #.
[[nodiscard]] constexpr ParameterSpec repeated(ParameterSpec spec, std::string_view setting, std::uint32_t less = 0) {
    spec.repeat = {setting, less};
    return spec;
}

[[nodiscard]] constexpr ParameterSpec on_off(std::string_view name, bool default_on, std::string_view help) {
    return {name, Unit::on_off, 0.0F, 1.0F, default_on ? 1.0F : 0.0F, help, RampLaw::on_off};
}

/// Validates a table at compile time: `static_assert(well_formed(kParameters));`
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
        if (spec.older_maximum && !(*spec.older_maximum > spec.maximum)) return false;
        const double fraction = spec.maximum_rate_fraction;
        if (fraction != 0.0 && spec.maximum != static_cast<float>(fraction * kTableRateHz)) return false;
        if (fraction != 0.0 && !(fraction < 0.5 && fraction * kLowestRateHz > spec.minimum)) return false;
        int same = 0;
        for (const ParameterSpec& other : table) same += other.name == spec.name ? 1 : 0;
        if (same != 1) return false;
    }
    return true;
}

/// Returns "Hz", "dB", "ms", "s" or "on/off"; "" for plain numbers and ratios. [any]
[[nodiscard]] std::string_view unit_symbol(Unit unit) noexcept;
/// Returns "linear", "logarithmic", ... [any]
[[nodiscard]] std::string_view ramp_law_name(RampLaw law) noexcept;

}  // namespace rta
