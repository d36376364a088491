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
