// SPDX-License-Identifier: MIT
#include "text/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "text/quoting.h"

namespace rta {
namespace {

using namespace std::string_view_literals;

TEST(FirstInvalidUtf8, FollowsTheStandard) {
    // The well-formed ranges of the Unicode standard, table 3-7: their corners, and the nearest ill-formed neighbours.
    for (const std::string_view sound :
         {"\x7F"sv, "\0"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv,
          "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv}) {
        EXPECT_EQ(first_invalid_utf8(sound), sound.size()) << quoted(sound);
        EXPECT_EQ(first_invalid_utf8("ab" + std::string{sound} + "c"), sound.size() + 3);
    }
    for (const std::string_view broken :
         {"\x80"sv, "\xBF"sv, "\xC1\xBF"sv, "\xC2"sv, "\xC2\x7F"sv, "\xC2\xC0"sv, "\xE0\x9F\xBF"sv, "\xED\xA0\x80"sv,
          "\xE1\x80"sv, "\xE1\x80\x7F"sv, "\xF0\x8F\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF1\x80\x80"sv,
          "\xF1\x80\x80\xC0"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv}) {
        EXPECT_EQ(first_invalid_utf8("ab" + std::string{broken}), 2U) << quoted(broken);
    }
}

TEST(FirstCharacter, DecodesEveryLength) {
    struct Case {
        std::string_view text;
        char32_t code_point;
        std::size_t bytes;
    };
    for (const auto& [text, code_point, bytes] :
         {Case{"a"sv, U'a', 1}, Case{"\0b"sv, U'\0', 1}, Case{"\xC3\xA9x"sv, U'\u00E9', 2},
          Case{"\xE2\x82\xACx"sv, U'\u20AC', 3}, Case{"\xF0\x9F\x8E\xB5"sv, U'\U0001F3B5', 4},
          Case{"\xF4\x8F\xBF\xBF\x80"sv, U'\U0010FFFF', 4}}) {
        const Utf8Character found = first_character(text);
        EXPECT_TRUE(found.valid) << quoted(text);
        EXPECT_EQ(found.code_point, code_point) << quoted(text);
        EXPECT_EQ(found.bytes, bytes) << quoted(text);
    }
}

TEST(FirstCharacter, ReportsOneByteOfWhatIsNotValid) {
    for (const std::string_view text : {"\x80z"sv, "\xC3"sv, "\xC3z"sv, "\xC0\xAF"sv, "\xED\xA0\x80"sv, "\xE2\x82"sv,
                                        "\xF4\x90\x80\x80"sv, "\xFF"sv}) {
        EXPECT_FALSE(first_character(text).valid) << quoted(text);
        EXPECT_EQ(first_character(text).bytes, 1U) << quoted(text);
    }
}

TEST(CharacterCount, CountsCharactersAndInvalidBytes) {
    EXPECT_EQ(character_count(""), 0U);
    EXPECT_EQ(character_count("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB5"), 4U);
    EXPECT_EQ(character_count("\xC3\xFF\x80"), 3U);
}

TEST(IncompleteBytesAtEnd, AreThoseThatMoreBytesCouldComplete) {
    EXPECT_EQ(incomplete_bytes_at_end(""), 0U);
    EXPECT_EQ(incomplete_bytes_at_end("ab"), 0U);
    EXPECT_EQ(incomplete_bytes_at_end("a\xC3"), 1U);
    EXPECT_EQ(incomplete_bytes_at_end("a\xC3\xA9"), 0U);
    EXPECT_EQ(incomplete_bytes_at_end("a\xE2\x82"), 2U);
    EXPECT_EQ(incomplete_bytes_at_end("a\xF0\x9F\x8E"), 3U);
    EXPECT_EQ(incomplete_bytes_at_end("\xF0\x9F\x8E\xB5"), 0U);
    EXPECT_EQ(incomplete_bytes_at_end("\xFF"), 0U);
    EXPECT_EQ(incomplete_bytes_at_end("\x80\x80\x80\x80"), 0U);
}

TEST(AppendUtf8, IsTheInverseOfDecoding) {
    for (const char32_t code_point :
         {U'\0', U'\x7F', U'\x80', U'\u07FF', U'\u0800', U'\uFFFD', U'\U00010000', U'\U0010FFFF'}) {
        std::string text = "x";
        EXPECT_TRUE(append_utf8(text, code_point));
        const Utf8Character found = first_character(std::string_view{text}.substr(1));
        EXPECT_TRUE(found.valid);
        EXPECT_EQ(found.code_point, code_point);
        EXPECT_EQ(found.bytes, text.size() - 1);
    }
    std::string text;
    for (const char32_t code_point : {char32_t{0xD800}, char32_t{0xDFFF}, char32_t{0x110000}, char32_t{0xFFFFFFFF}})
        EXPECT_FALSE(append_utf8(text, code_point));
    EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace rta
