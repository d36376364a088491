// SPDX-License-Identifier: MIT
#include "text/access_token.h"

#include <gtest/gtest.h>

#include <string>

namespace rta {
namespace {

TEST(AccessToken, HasItsForm) {
    const std::string token = "rtad_" + std::string(41, 'A') + "-_";
    EXPECT_TRUE(is_token(token));
    EXPECT_FALSE(is_token(""));
    EXPECT_FALSE(is_token(token + "A"));
    EXPECT_FALSE(is_token(token.substr(0, 47)));
    EXPECT_FALSE(is_token("RTAD_" + std::string(43, 'A')));
    EXPECT_FALSE(is_token("rtad_" + std::string(42, 'A') + "="));
    EXPECT_FALSE(is_token("rtad_" + std::string(42, 'A') + "\n"));
}

TEST(AccessToken, NamesAreThoseOfNodesButNotThatOfClientsWithoutAToken) {
    for (const char* const name : {"desk", "A", "studio-2_left"}) EXPECT_TRUE(is_token_name(name)) << name;
    EXPECT_TRUE(is_token_name(std::string(64, 'a')));
    EXPECT_FALSE(is_token_name(std::string(65, 'a')));
    for (const char* const name :
         {"", "2", "-a", "uid 0", "code of desk", "session/1", "a.b", "caf\u00e9", "loopback", "a\n"})
        EXPECT_FALSE(is_token_name(name)) << name;
}

TEST(AccessToken, LifetimesHaveAUnit) {
    EXPECT_EQ(parse_lifetime("30d"), 30 * 86'400);
    EXPECT_EQ(parse_lifetime("0.5d"), 43'200);
    EXPECT_EQ(parse_lifetime("12h"), 43'200);
    EXPECT_EQ(parse_lifetime("90min"), 5'400);
    EXPECT_EQ(parse_lifetime("1s"), 1);
    EXPECT_EQ(parse_lifetime("36525d"), kLongestLifetimeS);
    EXPECT_EQ(parse_lifetime("30").error(), "\"30\" has no unit; expected a time, such as 30d, 12h, 90min or 600s");
    for (const char* const text : {"", "d", "30 d", "30days", "0d", "-1d", "nan", "nand", "infd", "36526d", "1e300d"})
        EXPECT_FALSE(parse_lifetime(text)) << text;
}

TEST(AccessToken, TimesAreUtc) {
    EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
    EXPECT_EQ(utc_text(1'796'012'884), "2026-11-30T04:28:04Z");
    EXPECT_EQ(utc_text(4'951'583'999), "2126-11-28T23:59:59Z");
}

}  // namespace
}  // namespace rta
