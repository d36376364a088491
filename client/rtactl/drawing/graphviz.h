// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace rta::rtactl {

/// What Graphviz's program `dot` draws of this text in its language, as SVG. The error is a sentence.
[[nodiscard]] std::expected<std::string, std::string> draw_svg(std::string_view dot);

}  // namespace rta::rtactl
