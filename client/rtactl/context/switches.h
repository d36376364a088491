// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "rtactl/context/context.h"

namespace rta::rtactl {

/// An on/off parameter as commands name it, for their errors.
struct Switch {
    std::string parameter;
    std::string_view refusal;   ///< "cannot be muted"
    std::string_view expected;  ///< the nodes that have the parameter
};
/// Sets an on/off parameter of a node, as an edit if a transaction is open. Refuses a node that lacks it.
[[nodiscard]] Result<void> set_switch(Context& context, const std::string& node, const Switch& which, bool on);

/// Mutes or unmutes a node, or the device output if no node is given.
[[nodiscard]] Result<void> set_muted(Context& context, const Arguments& arguments, bool muted);

/// Reads the on/off word at `index`; on if it is missing. `command` is for the error.
[[nodiscard]] Result<bool> parse_switch_word(std::string_view command, const Arguments& arguments, std::size_t index);

}  // namespace rta::rtactl
