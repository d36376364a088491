// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/error.h"

namespace rta::app {

/// `key = value` of a configuration file.
struct ConfigEntry {
    std::string key;
    std::vector<std::string> values;  ///< of an array as many as it has
    bool number = false;              ///< one of them at least stands without quotes
    std::uint32_t line = 0;           ///< from 1
};

/// Longer configuration files are not read.
inline constexpr std::size_t kLongestConfigBytes = std::size_t{1} << 20U;

/// Reads the part of TOML that a list of options needs: comments, `key = "text"`, `key = 'text'`, `key = number`,
/// `key = ["several", "texts"]` over one line or more. Whatever else there is in TOML, and what is no TOML, is
/// INVALID_ARGUMENT with "line N: ", as is a key that is there twice. What the keys mean is not looked at.
[[nodiscard]] Expected<std::vector<ConfigEntry>> read_config(std::string_view text);

}  // namespace rta::app
