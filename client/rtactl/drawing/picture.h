// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "rtactl/drawing/style.h"

namespace rta::rtactl {

/// Redraws lines in place on a terminal. Uses the terminal's alternate screen, so that its contents are restored
/// afterwards and a change of its size does no harm. The last lines are then printed on the normal screen.
class Picture {
 public:
    /// `terminal` is the descriptor that `out` writes to. Unless `styled`, all text is plain.
    Picture(std::ostream& out, int terminal, bool styled);
    Picture(const Picture&) = delete;
    Picture& operator=(const Picture&) = delete;
    /// Restores the terminal and prints the last lines.
    ~Picture();

    /// Cuts lines that do not fit: a wrapped line would shift all others.
    void draw(std::vector<StyledLine> lines);
    /// Draws the same lines again, for the current size of the terminal.
    void redraw();
    /// Restores the terminal, stops the process as Ctrl-Z does, and draws again when it is continued.
    void suspend();
    /// Returns the current width of the terminal.
    [[nodiscard]] std::size_t columns() const { return size().columns; }

 private:
    struct Size {
        std::size_t columns;
        std::size_t rows;
    };

    [[nodiscard]] Size size() const;
    void enter();
    void leave();
    [[nodiscard]] std::string text_of(const StyledLine& line, std::size_t columns) const;

    std::ostream& out_;
    int terminal_;
    bool styled_;
    std::vector<StyledLine> lines_;
};

/// Returns the current width of a terminal; 80 if it is not known.
[[nodiscard]] std::size_t terminal_columns(int terminal);

}  // namespace rta::rtactl
