// SPDX-License-Identifier: MIT
#include "text/display_width.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "text/display_width_table.h"

namespace rta {
namespace {

TEST(DisplayWidth, DoesNotDependOnTheLocale) {
    EXPECT_EQ(display_width(""), 0U);
    EXPECT_EQ(display_width("osc"), 3U);
    EXPECT_EQ(display_width("\u00E9t\u00E9 \u20AC"), 5U);
    EXPECT_EQ(display_width("\u2588\u2592\u2500"), 3U) << "blocks and lines";
}

TEST(DisplayWidth, IsTwoForWideCharacters) {
    for (const std::string_view wide : {"\u1100", "\u3042", "\u6F22", "\uD55C", "\uFF21", "\U0001F3B5", "\U00020000"})
        EXPECT_EQ(display_width(wide), 2U) << wide;
    EXPECT_EQ(display_width("\u97F3\u697D-1"), 6U);
    EXPECT_EQ(display_width("\uFF71"), 1U) << "halfwidth katakana";
}

TEST(DisplayWidth, IsZeroForCombiningMarks) {
    EXPECT_EQ(display_width("e\u0301"), 1U);
    EXPECT_EQ(display_width("a\u200D\uFE0F"), 1U);
    EXPECT_EQ(display_width("\u1112\u1161\u11AB"), 2U) << "a syllable of three jamo";
    EXPECT_EQ(display_width("\u00AD"), 1U) << "the soft hyphen is visible";
}

TEST(DisplayWidth, IsOneForEachInvalidByte) { EXPECT_EQ(display_width("a\xFF\xC3"), 3U); }

TEST(DisplayWidth, ReadsSortedTablesThatDoNotOverlap) {
    const auto check = [](const auto& ranges) {
        char32_t end = 0;
        for (const auto& [first, last] : ranges) {
            EXPECT_LE(end, first);
            EXPECT_LE(first, last);
            end = last + 1;
        }
    };
    check(kZeroWidth);
    check(kDoubleWidth);
}

TEST(FittingPrefix, CutsBetweenCharacters) {
    EXPECT_EQ(fitting_prefix("abc", 3), "abc");
    EXPECT_EQ(fitting_prefix("abc", 2), "ab");
    EXPECT_EQ(fitting_prefix("abc", 0), "");
    EXPECT_EQ(fitting_prefix("\u00E9t\u00E9", 2), "\u00E9t");
    EXPECT_EQ(fitting_prefix("\u97F3\u697D", 3), "\u97F3") << "half of a wide character does not fit";
    EXPECT_EQ(fitting_prefix("e\u0301e\u0301", 1), "e\u0301") << "the mark stays with its letter";
}

TEST(WithEllipsis, FitsTheColumns) {
    EXPECT_EQ(with_ellipsis("abcdef", 6), "abcdef");
    EXPECT_EQ(with_ellipsis("abcdefg", 6), "abc...");
    EXPECT_EQ(with_ellipsis("\u97F3\u697D\u97F3\u697D", 6), "\u97F3...");
}

}  // namespace
}  // namespace rta
