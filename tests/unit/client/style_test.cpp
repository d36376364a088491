// SPDX-License-Identifier: MIT
#include "rtactl/drawing/style.h"

#include <gtest/gtest.h>

#include <sstream>

#include "rtactl/drawing/text_table.h"
#include "rtactl/terminal/printable_stream.h"

namespace rta::rtactl {
namespace {

void print_table(std::ostream& out) {
    TextTable table;
    table.style_column(1, Style::secondary);
    table.heading({"NAME", "TYPE", "NOTE"});
    table.add({"\u00fcber", "gain", ""});
    table.add({"o", "sine", "late"}, Style::warning);
    table.print(out, 1);
}

TEST(Style, IsNotWrittenWithoutASink) {
    std::ostringstream out;
    print_table(out);
    EXPECT_EQ(out.str(), " NAME  TYPE  NOTE\n \u00fcber  gain\n o     sine  late\n");
}

TEST(Style, TakesNoWidthInATable) {
    std::ostringstream out;
    TerminalStyles styles{out};
    set_style_sink(out, &styles);
    print_table(out);
    EXPECT_EQ(out.str(),
              " \x1b[1mNAME\x1b[0m  \x1b[1mTYPE\x1b[0m  \x1b[1mNOTE\x1b[0m\n"
              " \u00fcber  \x1b[2mgain\x1b[0m\n"
              " o     \x1b[2msine\x1b[0m  \x1b[33mlate\x1b[0m\n");
    set_style_sink(out, nullptr);
    out << Styled{"x", Style::error};
    EXPECT_TRUE(out.str().ends_with("\nx"));
}

TEST(Style, PassesAStreamThatEscapesText) {
    std::ostringstream terminal;
    PrintableStream out{terminal};
    TerminalStyles styles{terminal};
    set_style_sink(out, &styles);
    out << "\xc3";  // the rest of the character follows
    out << "\xbc\x1b[1m" << Styled{"\x1b[32mred", Style::error} << Styled{"", Style::good} << '\n';
    EXPECT_EQ(terminal.str(), "\u00fc\\x1b[1m\x1b[31m\\x1b[32mred\x1b[0m\n");
}

TEST(Style, IsRecordedByLine) {
    StyleRecorder out;
    out << "a" << Styled{"b\nc", Style::error} << "\n\n" << Styled{"d", Style::good} << 1;
    const std::vector<StyledLine> lines = out.lines();
    ASSERT_EQ(lines.size(), 4U);
    const auto shown = [](const StyledLine& line) {
        std::string text;
        for (const StyledPiece& piece : line) text += piece.text + std::to_string(static_cast<int>(piece.style)) + " ";
        return text;
    };
    EXPECT_EQ(shown(lines[0]), "a0 b5 ");
    EXPECT_EQ(shown(lines[1]), "c5 0 ");
    EXPECT_EQ(shown(lines[2]), "0 ");
    EXPECT_EQ(shown(lines[3]), "d3 10 ");
    EXPECT_TRUE(StyleRecorder{}.lines().empty());
}

}  // namespace
}  // namespace rta::rtactl
