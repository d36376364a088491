// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/error.h"

namespace rta {

/// One `key = value` of a TOML text.
struct TomlEntry {
    std::string key;
    std::vector<std::string> values;  ///< one value, or those of an array; numbers in decimal, booleans true or false
    bool has_number = false;          ///< at least one of the values is a number
    bool has_boolean = false;         ///< at least one of the values is a boolean
    bool is_array = false;
    std::uint32_t line = 0;  ///< of the key, starting at 1
};

/// A table of a TOML text, `[name]` or `name = {...}`, or the whole text.
struct TomlTable {
    std::string name;                ///< of a table in a table, the last part; of the whole text, empty
    std::uint32_t line = 0;          ///< of the name
    std::vector<TomlEntry> entries;  ///< in the order of the text
    std::vector<TomlTable> tables;   ///< in the order of the text
};

/// Size limit of a configuration file.
inline constexpr std::size_t kLongestTomlBytes = std::size_t{1} << 20U;

/// Reads a TOML text whose values are texts, numbers, booleans or arrays of these. INVALID_ARGUMENT with "line N, column
/// M: " if it is not valid TOML, which includes a duplicate key, or with "line N: " for a value of another type, a text
/// with a NUL byte, a list of tables, or tables in tables in more than 8 levels. A text with more than
/// 10,000 dots is refused, too. The meaning of the keys is not checked.
[[nodiscard]] Expected<TomlTable> read_toml(std::string_view text);

}  // namespace rta
