// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

namespace rta::rtactl {

/// Input and output of a command.
struct Streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool interactive = false;  ///< a person types at `in` and reads `out`
    /// Descriptor of the terminal that `out` writes to, if rtactl can draw on it; -1: none. If `interactive` is set
    /// too, it is the standard output, and `in` is the standard input.
    int terminal = -1;
    /// Descriptor that `out` writes to, if a signal must be able to end a blocked write; -1: none.
    int descriptor = -1;
    bool styled_out = false;  ///< `out` is a terminal that shows colours
    bool styled_err = false;  ///< so is `err`
    /// Unescaped stream for drawing on the terminal; nullptr: `out`.
    std::ostream* screen = nullptr;

    [[nodiscard]] std::ostream& unescaped() const { return screen != nullptr ? *screen : out; }
};

}  // namespace rta::rtactl
