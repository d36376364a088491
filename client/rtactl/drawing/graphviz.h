// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace rta::rtactl {

/// Runs Graphviz's program `dot` and returns the drawing as SVG. The error is a sentence.
[[nodiscard]] std::expected<std::string, std::string> draw_svg(std::string_view dot);

}  // namespace rta::rtactl
