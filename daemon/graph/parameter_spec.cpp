// SPDX-License-Identifier: MIT
#include "graph/parameter_spec.h"

#include <charconv>
#include <system_error>

namespace rta {

std::string_view unit_symbol(Unit unit) noexcept {
    switch (unit) {
        case Unit::none:
        case Unit::ratio:
            return "";
        case Unit::hertz:
            return "Hz";
        case Unit::decibel:
            return "dB";
        case Unit::milliseconds:
            return "ms";
        case Unit::seconds:
            return "s";
        case Unit::on_off:
            return "on/off";
    }
    return "";
}

std::string_view ramp_law_name(RampLaw law) noexcept {
    switch (law) {
        case RampLaw::linear:
            return "linear";
        case RampLaw::logarithmic:
            return "logarithmic";
        case RampLaw::amplitude:
            return "amplitude";
        case RampLaw::on_off:
            return "on_off";
        case RampLaw::own:
            return "own";
    }
    return "linear";
}

std::string numbered(std::string_view name, std::uint32_t number) {
    const std::size_t place = name.find('#');
    if (place == std::string_view::npos) return std::string{name};
    return std::string{name.substr(0, place)} + std::to_string(number) + std::string{name.substr(place + 1)};
}

std::optional<std::uint32_t> number_in(std::string_view pattern, std::string_view name) {
    const std::size_t place = pattern.find('#');
    if (place == std::string_view::npos || name.size() <= place || name[place] == '0') return std::nullopt;
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(name.data() + place, name.data() + name.size(), number);
    if (error != std::errc{} || name != numbered(pattern, number)) return std::nullopt;
    return number;
}

}  // namespace rta
