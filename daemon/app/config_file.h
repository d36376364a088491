// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/error.h"

namespace rta::app {

/// One `key = value` of a configuration file.
struct ConfigEntry {
    std::string key;
    std::vector<std::string> values;  ///< one value, or those of an array
    bool has_number = false;          ///< at least one of the values is a number
    std::uint32_t line = 0;           ///< of the key, starting at 1
};

/// Size limit of a configuration file.
inline constexpr std::size_t kLongestConfigBytes = std::size_t{1} << 20U;

/// Reads a flat TOML document: keys whose values are texts, numbers or arrays of these. Returns the entries in the
/// order of the text; numbers are in decimal. INVALID_ARGUMENT with "line N, column M: " if the text is not valid TOML,
/// which includes a duplicate key, or with "line N: " if it contains a table, or a value of another type. The meaning
/// of the keys is not checked.
[[nodiscard]] Expected<std::vector<ConfigEntry>> read_config(std::string_view text);

}  // namespace rta::app
