// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Plots a response over frequency as lines of text: the magnitude, and if there is only one output the phase and the
/// group delay, if there is one. Each character of a curve has an upper and a lower dot: ' . or : for both. Of several
/// outputs, each is drawn with its own character, which the first line explains.
[[nodiscard]] std::vector<std::string> plot_text(const v1::FrequencyResponseResult& response, std::size_t columns);

/// Returns the note that explains an empty plot; empty if at least one curve is not below the range of the plot.
[[nodiscard]] std::string empty_plot_note(const v1::FrequencyResponseResult& response);

/// Plots the same as an SVG document, with one curve for each output in each panel, and the notes below.
[[nodiscard]] std::string plot_svg(const v1::FrequencyResponseResult& response, std::string_view title);

}  // namespace rta::rtactl
