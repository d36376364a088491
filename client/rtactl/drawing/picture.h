// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace rta::rtactl {

/// Lines that are drawn over and over in the same place of a terminal. They use the terminal's second screen, so that
/// nothing that stood there is lost and a change of its size disturbs nothing; the last of them stay on the first one.
class Picture {
 public:
    /// `terminal` is the descriptor of what `out` writes to.
    Picture(std::ostream& out, int terminal);
    Picture(const Picture&) = delete;
    Picture& operator=(const Picture&) = delete;
    /// Gives the terminal back as it was, with the last lines below what stood there.
    ~Picture();

    /// What does not fit is cut: a line that wraps would shift all others.
    void draw(std::vector<std::string> lines);
    /// The same lines for the size of now.
    void redraw();
    /// Gives the terminal back, stops the process as Ctrl-Z does, and draws again when it goes on.
    void suspend();
    /// Of the terminal, as it is now.
    [[nodiscard]] std::size_t columns() const { return size().columns; }

 private:
    struct Size {
        std::size_t columns;
        std::size_t rows;
    };

    [[nodiscard]] Size size() const;
    void enter();
    void leave();

    std::ostream& out_;
    int terminal_;
    std::vector<std::string> lines_;
};

/// Of the terminal with this descriptor, as it is now; 80 where that cannot be told.
[[nodiscard]] std::size_t terminal_columns(int terminal);

/// The first `columns` characters of UTF-8 text.
[[nodiscard]] std::string cut(const std::string& line, std::size_t columns);

}  // namespace rta::rtactl
