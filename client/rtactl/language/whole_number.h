// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace rta::rtactl {

/// Reads a whole number without a sign, which must be all of the text.
[[nodiscard]] inline std::optional<std::uint64_t> parse_whole_number(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [last, fault] = std::from_chars(text.data(), end, number);
    if (fault != std::errc{} || last != end) return std::nullopt;
    return number;
}

}  // namespace rta::rtactl
