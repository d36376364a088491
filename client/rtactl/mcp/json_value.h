// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace rta::rtactl::mcp {

/// A JSON value.
struct Json {
    enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
    /// Of arrays and objects in each other: values are copied and freed recursively.
    static constexpr std::size_t kMaximumDepth = 64;

    /// Returns the member of an object; nullptr if it has none of that name, or is not an object.
    [[nodiscard]] const Json* find(std::string_view name) const;
    [[nodiscard]] bool is(Kind other) const { return kind == other; }

    Kind kind = Kind::null;
    bool flag = false;                 ///< of a boolean
    std::string text{};                ///< of a string, and of a number as it was written
    std::vector<Json> elements{};      ///< of an array, and the values of an object
    std::vector<std::string> names{};  ///< of the elements of an object
};

struct JsonError {
    std::size_t byte;
    std::string reason;
};
[[nodiscard]] std::expected<Json, JsonError> parse_json(std::string_view text);

}  // namespace rta::rtactl::mcp
