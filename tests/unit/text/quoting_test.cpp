// SPDX-License-Identifier: MIT
#include "text/quoting.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace rta {
namespace {

using namespace std::string_view_literals;

TEST(Quoted, ShowsTextAsItIs) {
    EXPECT_EQ(quoted("osc"), "\"osc\"");
    EXPECT_EQ(quoted(""), "\"\"");
    EXPECT_EQ(quoted("\xC3\xA9t\xC3\xA9 \xE2\x82\xAC"), "\"\xC3\xA9t\xC3\xA9 \xE2\x82\xAC\"");
}

TEST(Quoted, EscapesWhatWouldSpoilASentence) {
    EXPECT_EQ(quoted("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(quoted("\n\x1B[31m\x7F\0"sv), R"("\x0a\x1b[31m\x7f\x00")");
    EXPECT_EQ(quoted("\xFF\xC3(\xED\xA0\x80"), R"("\xff\xc3(\xed\xa0\x80")");
}

TEST(Quoted, EscapesWhatOnlyLooksLikeText) {
    EXPECT_EQ(quoted("a\xC2\x9B"
                     "31m"),
              R"("a\xc2\x9b31m")");
    EXPECT_EQ(quoted("\xE2\x80\xAE"
                     "b"),
              R"("\xe2\x80\xaeb")");
}

TEST(Printable, EscapesControlsSeparatorsAndMarksOfDirection) {
    for (const std::string_view character :
         {"\x1B", "\x7F", "\r", "\xC2\x80", "\xC2\x9B", "\xC2\x9F", "\xD8\x9C", "\xE2\x80\x8E", "\xE2\x80\x8F",
          "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAA", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x81\xA9", "\xFF"}) {
        EXPECT_FALSE(is_printable(character)) << printable(character);
        EXPECT_TRUE(is_printable(printable(character))) << printable(character);
        EXPECT_EQ(printable(character).size(), 4 * character.size());
    }
    for (const std::string_view character : {"a", " ", "~", "\\", "\xC2\xA0", "\xC3\xA9", "\xE2\x80\xA7",
                                             "\xE2\x80\xAF", "\xE2\x81\xA5", "\xE2\x81\xAA", "\xF0\x9F\x8E\xB5"}) {
        EXPECT_TRUE(is_printable(character)) << character;
        EXPECT_EQ(printable(character), character);
    }
}

TEST(Printable, KeepsWhatItIsTold) {
    EXPECT_EQ(printable("a\n\tb\x1B", "\n\t"), "a\n\tb\\x1b");
    EXPECT_EQ(printable("a\n"), "a\\x0a");
}

TEST(Quoted, CutsWhatIsLongBetweenCharacters) {
    const std::string seventy_nine(79, 'x');
    const auto expected = [](std::string content) { return "\"" + content + "\""; };
    EXPECT_EQ(quoted(seventy_nine + "x"), expected(seventy_nine + "x"));
    EXPECT_EQ(quoted(seventy_nine + "xx"), expected(seventy_nine + "x..."));
    EXPECT_EQ(quoted(seventy_nine + "\xC3\xA9"), expected(seventy_nine + "..."));
    EXPECT_LT(quoted(std::string(1'000'000, '\x01')).size(), 400U);
}

TEST(ShellWord, QuotesWhatAShellWouldChange) {
    EXPECT_EQ(shell_word("portaudio:hw:PCH,0"), "portaudio:hw:PCH,0");
    EXPECT_EQ(shell_word("osc.gain_db=-6"), "osc.gain_db=-6");
    EXPECT_EQ(shell_word("ALSA/a b"), "'ALSA/a b'");
    EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
    EXPECT_EQ(shell_word(""), "''");
    for (const char special : std::string_view{"$`\\\"*?[]{}()<>|&;#~!^\n\t"}) {
        EXPECT_EQ(shell_word(std::string{special}), "'" + std::string{special} + "'");
    }
}

TEST(Hexadecimal, HasTheDigitsAskedFor) {
    EXPECT_EQ(hexadecimal(0, 2), "00");
    EXPECT_EQ(hexadecimal(0x1F, 2), "1f");
    EXPECT_EQ(hexadecimal(0x2028, 4), "2028");
    EXPECT_EQ(hexadecimal(0xDEADBEEF, 8), "deadbeef");
}

}  // namespace
}  // namespace rta
