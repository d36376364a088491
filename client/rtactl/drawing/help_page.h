// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <string_view>

#include "rtactl/language/command_table.h"

namespace rta::rtactl {

/// Prints the page of `rtactl --help`, or of `help` in the shell.
void print_help(std::ostream& out, const CommandTable& table, Place place);
/// Prints the page of one command.
void print_help(std::ostream& out, const Command& command);
/// Lists the commands whose first word is `group`.
void print_group_help(std::ostream& out, const CommandTable& table, std::string_view group);

}  // namespace rta::rtactl
