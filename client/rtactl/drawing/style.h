// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <iosfwd>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace rta::rtactl {

/// What a piece of text is, which determines its colour on a terminal. Without colours, the text is the same.
enum class Style : std::uint8_t {
    plain,
    heading,    ///< bold
    secondary,  ///< dim
    good,       ///< green
    warning,    ///< yellow
    error,      ///< red
};

/// `out << Styled{text, style}` writes text in a style, if the stream has a StyleSink.
struct Styled {
    std::string_view text;
    Style style;
};
std::ostream& operator<<(std::ostream& out, const Styled& styled);

/// Receives the changes of style of a stream, between the bytes that are written to it.
class StyleSink {
 public:
    StyleSink() = default;
    StyleSink(const StyleSink&) = delete;
    StyleSink& operator=(const StyleSink&) = delete;
    virtual ~StyleSink() = default;
    virtual void set(Style style) = 0;
};
/// Sets the sink of a stream; nullptr: none. It must outlive the last write to the stream.
void set_style_sink(std::ostream& out, StyleSink* sink);

/// Returns the escape sequence that switches a terminal from the plain style to this one, or from any to the plain one.
[[nodiscard]] std::string_view escape_sequence(Style style);

/// Shows the styles on a terminal. A stream that escapes control characters must not buffer in front of `terminal`.
class TerminalStyles final : public StyleSink {
 public:
    explicit TerminalStyles(std::ostream& terminal) : terminal_{terminal} {}
    void set(Style style) override;

 private:
    std::ostream& terminal_;
};

/// A line in pieces of one style each.
struct StyledPiece {
    std::string text;
    Style style = Style::plain;
};
using StyledLine = std::vector<StyledPiece>;

/// Stream that records text with its styles, for pictures.
class StyleRecorder final : public std::ostringstream {
 public:
    StyleRecorder();
    [[nodiscard]] std::vector<StyledLine> lines() const;

 private:
    class Changes final : public StyleSink {
     public:
        explicit Changes(std::ostringstream& stream) : stream_{stream} {}
        void set(Style style) override;

        struct Change {
            std::size_t offset;
            Style style;
        };
        std::vector<Change> changes;

     private:
        std::ostringstream& stream_;
    };
    Changes changes_;
};

}  // namespace rta::rtactl
