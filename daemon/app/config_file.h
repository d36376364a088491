// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "toml/toml_text.h"

namespace rta::app {

/// Reads a configuration: a flat TOML text, whose values are texts, numbers or arrays of these. Returns the entries in
/// the order of the text. Errors are those of read_toml(), and INVALID_ARGUMENT with "line N: " if the text contains a
/// table or a boolean. The meaning of the keys is not checked.
[[nodiscard]] Expected<std::vector<TomlEntry>> read_config(std::string_view text);

}  // namespace rta::app
