// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "rtactl/context/context.h"

namespace rta::rtactl {

inline constexpr std::array kUndoOptions{
    Option{"--force", "", "Also undo what others have changed since in the same places."},
    Option{"--all", "", "Choose from the changes of all authors, not only of your own."},
    kExpect,
    kConfirmWithin,
};

/// Reads the number of steps in the only word; `usual` if it is missing. `command` is for the error.
[[nodiscard]] Result<std::uint32_t> parse_steps(std::string_view command, const Arguments& arguments,
                                                std::uint32_t usual);

/// Undoes steps, or applies them again, and prints what has changed.
[[nodiscard]] Result<void> call_undo(Context& context, const Arguments& arguments, bool redo);
template <bool redo>
[[nodiscard]] Result<void> call_undo(Context& context, const Arguments& arguments) {
    return call_undo(context, arguments, redo);
}

/// Prints the result of an undo, a redo or a revert. Prints nothing with --json.
void print_undo(Context& context, const v1::UndoResult& result);

}  // namespace rta::rtactl
