// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rta {

/// The first character of a text.
struct Utf8Character {
    char32_t code_point;  ///< 0 if not valid
    std::size_t bytes;    ///< 1 if not valid
    bool valid;
};

/// Decodes the first character of `text`, which must not be empty. UTF-8 as in RFC 3629: overlong forms, surrogates and
/// code points above U+10FFFF are not valid. A byte that is not part of a valid character is reported separately. [any]
[[nodiscard]] Utf8Character first_character(std::string_view text);

/// Returns the offset of the first byte that is not part of a valid character, or text.size(). [any]
[[nodiscard]] std::size_t first_invalid_utf8(std::string_view text);

/// Returns the number of characters. Bytes that are not valid UTF-8 count as one each. [any]
[[nodiscard]] std::size_t character_count(std::string_view text);

/// Returns the number of bytes, at most 3, at the end of `text` that begin a character but do not complete it. Used to
/// decode a stream that is cut at any byte. [any]
[[nodiscard]] std::size_t incomplete_bytes_at_end(std::string_view text);

/// Appends the encoding of a code point. False, with nothing appended, for a surrogate or a value above U+10FFFF. [any]
bool append_utf8(std::string& text, char32_t code_point);

}  // namespace rta
