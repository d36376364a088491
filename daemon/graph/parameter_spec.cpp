// SPDX-License-Identifier: MIT
#include "graph/parameter_spec.h"

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

}  // namespace rta
