// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "dsp/biquad.h"
#include "graph/parameter_spec.h"

namespace rta {

/// Returns the row of the Q of a filter; the default is that of a Butterworth filter.
[[nodiscard]] constexpr ParameterSpec q_ratio(std::string_view name, std::string_view help) {
    return {name, Unit::ratio, dsp::kLeastQ, dsp::kGreatestQ, 0.707107F, help, RampLaw::logarithmic};
}

/// Returns the row of the gain of a peak or a shelf.
[[nodiscard]] constexpr ParameterSpec filter_gain_db(std::string_view name, std::string_view help) {
    return {name, Unit::decibel, dsp::kLeastFilterGainDb, dsp::kGreatestFilterGainDb, 0.0F, help};
}

}  // namespace rta
