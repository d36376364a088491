// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rtactl/language/command_table.h"

namespace rta::rtactl {

/// Options of rtactl itself, accepted before the command and among its arguments.
[[nodiscard]] std::span<const Option> global_options();
/// Returns nullptr if no option has that name.
[[nodiscard]] const Option* find_option(std::span<const Option> options, std::string_view name);
/// Returns the keys of a host in the configuration file: its address, and the options of its connection without dashes.
[[nodiscard]] std::vector<std::string_view> host_keys();
/// Returns whether a word is an option: it starts with - and is neither a negative number nor `-` nor `-=VALUE`.
[[nodiscard]] bool is_option(std::string_view word);

/// A parsed command line, or a parsed line of the shell.
struct Invocation {
    const Command* command = nullptr;  ///< nullptr if none was given
    Arguments arguments;
    Arguments globals;  ///< options only
    std::string group;  ///< "graph" if no second word followed it; only with `help`
    bool help = false;
};

/// Parses words against the table. Refuses global options if `place` is the shell. A word that starts with - is an
/// option unless it is a negative number, `-`, `-=VALUE`, or follows `--`. Errors suggest the closest name.
[[nodiscard]] Result<Invocation> parse_invocation(const CommandTable& table, std::span<const std::string> words,
                                                  Place place);

}  // namespace rta::rtactl
