// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Magnitude in dB over frequency as lines of text, and the phase below it where there is one output only. Each
/// character has an upper and a lower half: ' . and : for both.
[[nodiscard]] std::vector<std::string> plot_text(const v1::FrequencyResponseResult& response, std::size_t columns);

/// The same as a drawing that stands for itself: one curve an output, magnitude above, phase below.
[[nodiscard]] std::string plot_svg(const v1::FrequencyResponseResult& response, std::string_view title);

/// A vertical axis: what it shows, and where its lines are.
struct Axis {
    double lowest;
    double highest;
    double step;
};
/// At least 24 dB, at most 96, in steps that people count in, with all the magnitudes that fit.
[[nodiscard]] Axis magnitude_axis(const v1::FrequencyResponseResult& response);

}  // namespace rta::rtactl
