// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace rta::rtactl {

/// Splits a line of the shell into words as a POSIX shell does: blanks separate words, 'single' quotes keep everything,
/// "double" quotes keep everything except \" and \\, a backslash outside quotes keeps the next character, and # at the
/// start of a word starts a comment. A line therefore means the same as after `rtactl` on a command line. Errors name
/// the column.
[[nodiscard]] std::expected<std::vector<std::string>, std::string> split_words(std::string_view line);

/// Words of an incomplete line, up to the cursor. The last word is the one at the cursor, and is empty after a blank.
/// An open quote extends to the cursor.
struct TypedWords {
    std::vector<std::string> words;
    std::size_t last_begins = 0;  ///< byte at which the last word starts
    bool in_comment = false;      ///< if so, there are no words to complete
};
[[nodiscard]] TypedWords split_typed(std::string_view line);

/// Returns text as part of a word, with special characters escaped by a backslash.
[[nodiscard]] std::string escaped(std::string_view text);

/// Reads a quoted value at the start of `text`, which is ' or ". Returns the value and the number of bytes read. Fails
/// if the closing quote is missing.
struct QuotedValue {
    std::string value;
    std::size_t length;
};
[[nodiscard]] std::expected<QuotedValue, std::string> read_quoted(std::string_view text);

}  // namespace rta::rtactl
