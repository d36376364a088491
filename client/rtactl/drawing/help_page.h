// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <string_view>

#include "rtactl/language/command.h"

namespace rta::rtactl {

/// What `rtactl --help` prints, or, in the shell, `help`.
void print_help(std::ostream& out, Place place);
/// The page of one command.
void print_help(std::ostream& out, const Command& command);
/// The commands whose first word is `group`.
void print_group_help(std::ostream& out, std::string_view group);

}  // namespace rta::rtactl
