// SPDX-License-Identifier: MIT
#include "rtactl/language/lexer.h"

#include <gtest/gtest.h>

#include "text/quoting.h"

namespace rta::rtactl {
namespace {

using Words = std::vector<std::string>;

TEST(Lexer, CutsWordsAsAShellDoes) {
    struct Case {
        std::string_view line;
        Words words;
    };
    for (const auto& [line, words] : {
             Case{"", {}},
             Case{" \t ", {}},
             Case{"# a comment", {}},
             Case{"   # a comment with \"a quote", {}},
             Case{"add sine osc", {"add", "sine", "osc"}},
             Case{"\tadd   sine\tosc ", {"add", "sine", "osc"}},
             Case{"remove osc # behind", {"remove", "osc"}},
             Case{"remove osc#1", {"remove", "osc#1"}},
             Case{R"(a "b c" d)", {"a", "b c", "d"}},
             Case{R"(a 'b "c" \' d)", {"a", R"(b "c" \)", "d"}},
             Case{R"(a"b"'c'd)", {"abcd"}},
             Case{R"("" '')", {"", ""}},
             Case{R"("a\"b\\c\d")", {R"(a"b\c\d)"}},
             Case{R"(a\ b \# \")", {"a b", "#", "\""}},
             Case{R"('# no comment')", {"# no comment"}},
             Case{R"(play 'file_player:file="a:b, c.wav"')", {"play", R"(file_player:file="a:b, c.wav")"}},
             Case{"gr\u00fcn", {"gr\u00fcn"}},
         }) {
        const auto split = split_words(line);
        ASSERT_TRUE(split) << line << ": " << split.error();
        EXPECT_EQ(*split, words) << line;
    }
}

TEST(Lexer, TellsTheColumnOfAFault) {
    using namespace std::literals;
    struct Case {
        std::string_view line;
        std::string_view error;
    };
    for (const auto& [line, error] : {
             Case{"a 'b", "column 3: missing closing '"},
             Case{"a b\"c", "column 4: missing closing \""},
             Case{"\"a\\\"", "column 1: missing closing \""},
             Case{"ab\\", "column 3: expected a character after the backslash"},
             Case{"ab\0c"sv, "column 3: unexpected control character"},
             Case{"\x1b[A", "column 1: unexpected control character"},
             Case{"ab\xff", "column 3: invalid UTF-8"},
         }) {
        const auto split = split_words(line);
        ASSERT_FALSE(split) << line;
        EXPECT_EQ(split.error(), error);
    }
}

TEST(Lexer, ReadsBackWhatShellWordWrites) {
    for (const std::string text : {"osc", "a b", "", "it's", "\"x\"", "#", "\\", "a=b:c,d", "''", "gr\u00fcn"}) {
        const auto split = split_words("x " + shell_word(text) + " y");
        ASSERT_TRUE(split) << text;
        EXPECT_EQ(*split, (Words{"x", text, "y"}));
    }
}

TEST(Lexer, TellsTheWordAtTheCursor) {
    const auto typed = [](std::string_view line) { return split_typed(line).words; };
    EXPECT_EQ(typed(""), Words{""});
    EXPECT_EQ(typed("set"), Words{"set"});
    EXPECT_EQ(typed("set "), (Words{"set", ""})) << "a new word begins";
    EXPECT_EQ(typed("graph load 'my fi"), (Words{"graph", "load", "my fi"})) << "an open quote";
    EXPECT_EQ(typed("graph load my\\ fi"), (Words{"graph", "load", "my fi"}));
    EXPECT_EQ(typed("a \\"), (Words{"a", "\\"}));
    EXPECT_EQ(split_typed("set  osc.").last_begins, 5U);
    EXPECT_EQ(split_typed("set ").last_begins, 4U);
    EXPECT_TRUE(split_typed("set # o").in_comment);
    EXPECT_FALSE(split_typed("set a#").in_comment);
}

TEST(Lexer, ReadsBackWhatIsEscaped) {
    for (const std::string text : {"osc", "a b", "it's", "\"x\"", "#", "\\", "gr\u00fcn", "a\tb"}) {
        const auto split = split_words("x " + escaped(text) + " y");
        ASSERT_TRUE(split) << text;
        EXPECT_EQ(*split, (Words{"x", text, "y"}));
        EXPECT_EQ(split_typed("x " + escaped(text)).words.back(), text);
    }
}

TEST(Lexer, TakesALineOfAMegabyte) {
    const std::string word(1'000'000, 'x');
    const auto split = split_words("add " + word);
    ASSERT_TRUE(split);
    EXPECT_EQ((*split)[1], word);
    EXPECT_FALSE(split_words("'" + word));
}

}  // namespace
}  // namespace rta::rtactl
