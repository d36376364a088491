// SPDX-License-Identifier: MIT
#include "text/names.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "rta/v1/control.pb.h"
#include "text/error.h"

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

TEST(ClosestName, FindsTheSlip) {
    constexpr std::array kNames{"channels"sv, "first_channel"sv, "frequency_hz"sv, "gain_db"sv, "mute"sv, "q"sv};
    EXPECT_EQ(closest_name("mtue", kNames), "mute");
    EXPECT_EQ(closest_name("chanels", kNames), "channels");
    EXPECT_EQ(closest_name("channlse", kNames), "channels");
    EXPECT_EQ(closest_name("freqency_hz", kNames), "frequency_hz");
    EXPECT_EQ(closest_name("gian_db", kNames), "gain_db");
    EXPECT_EQ(closest_name("Gain_db", kNames), "gain_db");
    EXPECT_EQ(closest_name("first_chanel", kNames), "first_channel");
}

TEST(ClosestName, PrefersTheNearest) {
    constexpr std::array kNames{"gain_3_db"sv, "gain_12_db"sv, "gain_2_db"sv};
    EXPECT_EQ(closest_name("gain_12db", kNames), "gain_12_db");
    EXPECT_EQ(closest_name("gain_2_db", kNames), "gain_2_db");
}

TEST(ClosestName, DoesNotGuessWildly) {
    constexpr std::array kNames{"channels"sv, "q"sv, "mute"sv};
    EXPECT_EQ(closest_name("x", kNames), "");
    EXPECT_EQ(closest_name("", kNames), "");
    EXPECT_EQ(closest_name("volume", kNames), "");
    EXPECT_EQ(closest_name("loud", kNames), "");
    EXPECT_EQ(closest_name(std::string(100'000, 'c'), kNames), "");
    EXPECT_EQ(closest_name("channels", {}), "");
}

TEST(NoSuch, ListsWhatThereIs) {
    constexpr std::array kNames{"channels"sv, "first_channel"sv};
    EXPECT_EQ(no_such("setting", "chanels", kNames),
              R"(there is no setting "chanels" (did you mean "channels"?); there are: channels, first_channel)");
    EXPECT_EQ(no_such("setting", "loop", kNames), R"(there is no setting "loop"; there are: channels, first_channel)");
    EXPECT_EQ(no_such("setting", "loop", {}), R"(there is no setting "loop"; there are none)");
}

TEST(NoSuch, CutsALongList) {
    std::vector<std::string> names;
    for (int i = 0; i < 1'000; ++i) names.push_back(std::string{"n"}.append(std::to_string(i)));
    const std::vector<std::string_view> views{names.begin(), names.end()};
    const std::string sentence = no_such("node", "osc", views);
    EXPECT_TRUE(sentence.starts_with(R"(there is no node "osc"; there are: n0, n1, )")) << sentence;
    EXPECT_TRUE(sentence.ends_with("n22, n23 and 976 more")) << sentence;
    // The whole list is searched for what was meant.
    EXPECT_NE(no_such("node", "n9999", views).find("did you mean \"n999\"?"), std::string::npos);
}

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

TEST(ErrorCodeName, IsTheProtocolsSpelling) {
    const auto* codes = v1::Code_descriptor();
    int named = 0;
    for (int i = 0; i < codes->value_count(); ++i) {
        const auto* code = codes->value(i);
        if (code->number() == v1::OK) continue;
        EXPECT_EQ(error_code_name(static_cast<ErrorCode>(code->number())), code->name());
        ++named;
    }
    EXPECT_EQ(named, 12);
}

}  // namespace
}  // namespace rta
