// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace rta::rtactl {

/// Cuts a line of the shell into words as a POSIX shell would: blanks part words, 'single' quotes keep everything,
/// "double" quotes keep everything but \" and \\, a backslash outside keeps the next character, # at the start of a
/// word begins a comment. So a line means the same here and behind `rtactl` on a command line. The error tells the
/// column.
[[nodiscard]] std::expected<std::vector<std::string>, std::string> split_words(std::string_view line);

/// The words of such a line while it is being typed, up to the cursor: the last one is the one at the cursor, empty
/// behind a blank. A quote that is open reaches to the cursor.
struct TypedWords {
    std::vector<std::string> words;
    std::size_t last_begins = 0;  ///< where in the line the last word does
    bool in_comment = false;      ///< then there are no words to complete
};
[[nodiscard]] TypedWords split_typed(std::string_view line);

/// The text as part of a word that may go on: what means something to the line stands behind a backslash.
[[nodiscard]] std::string escaped(std::string_view text);

/// The text as one word of such a line.
[[nodiscard]] std::string as_word(std::string_view text);

/// Reads a value that may stand in quotes: `text` begins with ' or ". Returns what is between them and how many bytes
/// of `text` that took. The error says that the closing quote is missing.
struct QuotedValue {
    std::string value;
    std::size_t length;
};
[[nodiscard]] std::expected<QuotedValue, std::string> read_quoted(std::string_view text);

}  // namespace rta::rtactl
