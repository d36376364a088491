// SPDX-License-Identifier: MIT
#include "rtactl/drawing/picture.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): SIGSTOP is POSIX
#include <sys/ioctl.h>

#include <algorithm>
#include <limits>
#include <ostream>

#include "text/display_width.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

constexpr std::size_t kUncut = std::numeric_limits<std::size_t>::max();
constexpr std::string_view kAlternateScreen = "\x1b[?1049h";
constexpr std::string_view kNormalScreen = "\x1b[?1049l";
constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearToEndOfLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

}  // namespace

std::size_t terminal_columns(int terminal) {
    winsize window{};
    return ::ioctl(terminal, TIOCGWINSZ, &window) == 0 && window.ws_col != 0 ? window.ws_col : 80;
}

Picture::Picture(std::ostream& out, int terminal, bool styled) : out_{out}, terminal_{terminal}, styled_{styled} {
    enter();
}

Picture::~Picture() {
    leave();
    for (const StyledLine& line : lines_) out_ << text_of(line, kUncut) << '\n';
    out_.flush();
}

Picture::Size Picture::size() const {
    winsize window{};
    if (::ioctl(terminal_, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) return {80, 24};
    return {window.ws_col, window.ws_row};
}

void Picture::enter() { out_ << kAlternateScreen << kHideCursor << std::flush; }

void Picture::leave() { out_ << kNormalScreen << kShowCursor << std::flush; }

/// Returns the beginning of a line that is at most `columns` wide.
std::string Picture::text_of(const StyledLine& line, std::size_t columns) const {
    std::string text;
    for (const StyledPiece& piece : line) {
        const std::string_view shown = fitting_prefix(piece.text, columns);
        const bool styled = styled_ && piece.style != Style::plain && !shown.empty();
        if (styled) text.append(escape_sequence(piece.style));
        text.append(shown);
        if (styled) text.append(escape_sequence(Style::plain));
        if (shown.size() < piece.text.size()) break;
        columns -= display_width(shown);
    }
    return text;
}

void Picture::draw(std::vector<StyledLine> lines) {
    lines_ = std::move(lines);
    // Parts of the text come from the daemon.
    for (StyledLine& line : lines_) {
        for (StyledPiece& piece : line) piece.text = printable(piece.text);
    }
    redraw();
}

void Picture::redraw() {
    const auto [columns, rows] = size();
    const bool fits = lines_.size() <= rows;
    const std::size_t shown = fits ? lines_.size() : rows - 1;
    // In one write, so that no partial picture is visible.
    std::string text{kHome};
    const auto add = [&, columns = columns](const StyledLine& line, bool last) {
        text.append(text_of(line, columns)).append(kClearToEndOfLine);
        if (!last) text.append("\r\n");
    };
    for (std::size_t i = 0; i < shown; ++i) add(lines_[i], fits && i + 1 == shown);
    if (!fits) add({{"... and " + std::to_string(lines_.size() - shown) + " more lines"}}, true);
    text.append(kClearBelow);
    out_ << text << std::flush;
}

void Picture::suspend() {
    leave();
    ::raise(SIGSTOP);
    enter();
    redraw();
}

}  // namespace rta::rtactl
