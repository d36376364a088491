// SPDX-License-Identifier: MIT
#include "text/suggestion.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace rta {
namespace {

using namespace std::string_view_literals;

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

TEST(ClosestName, CompletesABeginning) {
    constexpr std::array kNames{"frequency_hz"sv, "gain_db"sv, "gain_1_db"sv, "q"sv, "disconnect"sv};
    EXPECT_EQ(closest_name("freq", kNames), "frequency_hz");
    EXPECT_EQ(closest_name("disc", kNames), "disconnect");
    EXPECT_EQ(closest_name("fr", kNames), "") << "too short";
    EXPECT_EQ(closest_name("gain_", kNames), "") << "two of them";
    EXPECT_EQ(
        unknown_name("parameter", "freq", kNames).find("unknown parameter \"freq\" (did you mean \"frequency_hz\"?)"),
        0U);
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

TEST(ClosestName, ComparesABoundedNumberOfNames) {
    // As many nodes as a graph can have, with names that an editor has numbered.
    std::vector<std::string> names;
    for (int i = 100'000; i < 165'536; ++i) names.push_back(std::string(58, 'n') + std::to_string(i));
    std::vector<std::string_view> known{names.begin(), names.end()};
    const std::string wrong(62, 'm');
    known.front() = wrong;
    EXPECT_EQ(closest_name(wrong + "y", known), wrong);
    std::swap(known.front(), known.back());
    EXPECT_EQ(closest_name(wrong + "y", known), "") << "it would have to compare all of them";
    known.resize(1'000);
    known.back() = wrong;
    EXPECT_EQ(closest_name(wrong + "y", known), wrong);
}

TEST(UnknownName, ListsWhatThereIs) {
    constexpr std::array kNames{"channels"sv, "first_channel"sv};
    EXPECT_EQ(unknown_name("setting", "chanels", kNames),
              R"(unknown setting "chanels" (did you mean "channels"?); expected one of: channels, first_channel)");
    EXPECT_EQ(unknown_name("setting", "loop", kNames),
              R"(unknown setting "loop"; expected one of: channels, first_channel)");
    EXPECT_EQ(unknown_name("setting", "loop", {}), R"(unknown setting "loop"; none exist)");
}

TEST(UnknownName, CutsALongList) {
    std::vector<std::string> names;
    for (int i = 0; i < 1'000; ++i) names.push_back(std::string{"n"}.append(std::to_string(i)));
    const std::vector<std::string_view> views{names.begin(), names.end()};
    const std::string sentence = unknown_name("node", "osc", views);
    EXPECT_TRUE(sentence.starts_with(R"(unknown node "osc"; expected one of: n0, n1, )")) << sentence;
    EXPECT_TRUE(sentence.ends_with("n22, n23 and 976 more")) << sentence;
    // Suggestions are searched in the whole list.
    EXPECT_NE(unknown_name("node", "n9999", views).find("did you mean \"n999\"?"), std::string::npos);
}

}  // namespace
}  // namespace rta
