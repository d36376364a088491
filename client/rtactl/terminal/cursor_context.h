// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rtactl/language/command_table.h"

namespace rta::rtactl {

/// Meaning of the words before the cursor for the word at the cursor.
struct CursorContext {
    const Command* command = nullptr;  ///< nullptr: not yet given
    std::string group;                 ///< "graph", until its second word follows
    std::vector<std::string> words{};  ///< arguments of the command, without options
    Arguments globals{};
    std::vector<std::string> options{};    ///< names of the options given
    const Option* awaits_value = nullptr;  ///< the option whose value is at the cursor
    bool only_words = false;               ///< after `--`
};

/// Reads words by the rules of parse_invocation(), but ignores errors.
[[nodiscard]] CursorContext read_cursor_context(const CommandTable& table, std::span<const std::string> words,
                                                Place place);

/// Finds an option of the command or, outside the shell, a global one; nullptr if none has that name.
[[nodiscard]] const Option* find_option(const CursorContext& context, Place place, std::string_view name);

/// Returns the global options among words, as far as they can be read: they select the daemon.
[[nodiscard]] Arguments global_options_in(const CommandTable& table, std::span<const std::string> words);

}  // namespace rta::rtactl
