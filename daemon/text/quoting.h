// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rta {

/// `quoted(text)`: returns the text in double quotes, safe in an error sentence whatever a client sent. Quotes,
/// backslashes and everything that printable() escapes are escaped; texts over 80 bytes are cut. [any]
///
/// An object, not a function: argument-dependent lookup of a function would also find std::quoted.
struct Quoted {
    [[nodiscard]] std::string operator()(std::string_view text) const;
};
inline constexpr Quoted quoted{};

/// Returns the text in a form that is safe to write to a terminal. Escaped as \xNN: control characters (C0, DEL, C1),
/// line and paragraph separators, marks that change the direction of writing, and bytes that are not UTF-8. Control
/// characters in `kept` are not escaped. [any]
[[nodiscard]] std::string printable(std::string_view text, std::string_view kept = {});

/// Whether printable() would return the text unchanged. [any]
[[nodiscard]] bool is_printable(std::string_view text);

/// Whether printable() escapes this code point. [any]
[[nodiscard]] bool is_control(char32_t code_point);

/// Returns the text as one word of a POSIX shell: unchanged, or in single quotes if a shell would change or split it.
/// [any]
[[nodiscard]] std::string shell_word(std::string_view text);

/// Returns `digits` lower-case hexadecimal digits, the most significant first. [any]
[[nodiscard]] std::string hexadecimal(std::uint32_t value, std::size_t digits);

}  // namespace rta
