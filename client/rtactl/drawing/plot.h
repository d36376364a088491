// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Plots magnitude in dB over frequency as lines of text, and the phase below it if there is only one output. Each
/// character has an upper and a lower dot: ' . or : for both.
[[nodiscard]] std::vector<std::string> plot_text(const v1::FrequencyResponseResult& response, std::size_t columns);

/// Plots magnitude and phase as an SVG document, with one curve for each output.
[[nodiscard]] std::string plot_svg(const v1::FrequencyResponseResult& response, std::string_view title);

/// Vertical axis: its range, and the distance of its grid lines.
struct Axis {
    double lowest;
    double highest;
    double step;
};
/// Returns an axis of 24 to 96 dB that covers the magnitudes, as far as they fit.
[[nodiscard]] Axis magnitude_axis(const v1::FrequencyResponseResult& response);

}  // namespace rta::rtactl
