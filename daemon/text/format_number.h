// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace rta {

/// Returns the shortest decimal that reads back as the same number: "440", "-12.5", "0.1".
[[nodiscard]] std::string format_number(float value);
[[nodiscard]] std::string format_number(double value);

}  // namespace rta
