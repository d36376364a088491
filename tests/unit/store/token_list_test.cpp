// SPDX-License-Identifier: MIT
#include "store/token_list.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "text/access_token.h"

namespace rta::store {
namespace {

/// A list with two tokens, and their secrets.
struct Filled {
    TokenList list;
    std::string desk = *list.add({.name = "desk", .role = Role::control, .created_s = 1000});
    std::string wall = *list.add({.name = "wall", .role = Role::read, .created_s = 2000, .expires_s = 3000});
};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(TokenList, FindsATokenByItsSecretOnly) {
    const Filled filled;
    ASSERT_NE(filled.list.find_secret(filled.desk), nullptr);
    EXPECT_EQ(filled.list.find_secret(filled.desk)->name, "desk");
    EXPECT_EQ(filled.list.find_secret(filled.wall)->name, "wall");
    std::string wrong = filled.desk;
    wrong.back() = wrong.back() == 'A' ? 'B' : 'A';
    EXPECT_EQ(filled.list.find_secret(wrong), nullptr);
    EXPECT_EQ(filled.list.find_secret(""), nullptr);
    EXPECT_EQ(filled.list.find_secret("desk"), nullptr);
    EXPECT_EQ(filled.list.find_name("wall")->role, Role::read);
    EXPECT_EQ(filled.list.find_name("other"), nullptr);
}

TEST(TokenList, SecretsAreTokensAndAllDiffer) {
    TokenList list;
    std::set<std::string> secrets;
    for (int i = 0; i < 100; ++i) secrets.insert(*list.add({.name = "t" + std::to_string(i), .role = Role::read}));
    EXPECT_EQ(secrets.size(), 100U);
    for (const std::string& secret : secrets) EXPECT_TRUE(is_token(secret)) << secret;
}

TEST(TokenList, IsWrittenWithoutSecretsAndReadAgain) {
    const Filled filled;
    const std::string text = filled.list.write();
    for (const std::string& secret : {filled.desk, filled.wall}) {
        EXPECT_EQ(text.find(secret), std::string::npos);
        EXPECT_EQ(text.find(secret.substr(5, 20)), std::string::npos);
    }
    const auto again = TokenList::read(text);
    ASSERT_TRUE(again) << again.error().sentence;
    EXPECT_EQ(again->infos(), filled.list.infos());
    EXPECT_EQ(again->write(), text);
    EXPECT_EQ(again->find_secret(filled.wall)->expires_s, 3000);
    EXPECT_TRUE(TokenList::read(TokenList{}.write())->empty());
}

TEST(TokenList, EachTokenHasASalt) {
    const Filled filled;
    const std::string text = filled.list.write();
    // NAME ROLE CREATED EXPIRES SALT HASH: the digits behind the third space.
    const auto salt_of = [&](std::string_view line_start) {
        std::size_t at = text.find(line_start);
        for (int i = 0; i < 4; ++i) at = text.find(' ', at) + 1;
        return text.substr(at, 32);
    };
    EXPECT_NE(salt_of("desk "), salt_of("wall "));
    // With another salt, the same secret has another hash: the token is no longer found.
    const std::string salt = salt_of("desk ");
    const auto other = TokenList::read(replaced(text, salt, std::string(32, salt[0] == '0' ? '1' : '0')));
    ASSERT_TRUE(other);
    EXPECT_EQ(other->find_secret(filled.desk), nullptr);
    EXPECT_NE(other->find_secret(filled.wall), nullptr);
}

TEST(TokenList, NoPartOfAListIsAList) {
    const Filled filled;
    const std::string text = filled.list.write();
    for (std::size_t bytes = 0; bytes < text.size(); ++bytes)
        EXPECT_FALSE(TokenList::read(std::string_view{text}.substr(0, bytes))) << bytes;
}

TEST(TokenList, RefusesWhatItDoesNotWriteAndNamesTheLine) {
    const Filled filled;
    const std::string text = filled.list.write();
    const auto refusal = [](const std::string& damaged) {
        const auto list = TokenList::read(damaged);
        return list ? "accepted" : list.error().sentence;
    };
    EXPECT_EQ(refusal(""), "line 1: incomplete");
    EXPECT_EQ(refusal("\n"), "line 1: expected \"rtad tokens 1\"");
    EXPECT_EQ(refusal(replaced(text, "tokens 1", "tokens 2")), "line 1: expected \"rtad tokens 1\"");
    EXPECT_EQ(refusal(replaced(text, "control", "owner")), "line 2: invalid role: expected read, control or admin");
    EXPECT_EQ(refusal(replaced(text, "control", "none")), "line 2: invalid role: expected read, control or admin");
    EXPECT_EQ(refusal(replaced(text, "1000", "01000")),
              "line 2: invalid time of creation: expected seconds since 1970");
    EXPECT_EQ(refusal(replaced(text, "3000", "soon")),
              "line 3: invalid time of expiry: expected seconds since 1970, or never");
    EXPECT_EQ(refusal(replaced(text, "desk", "loopback")), "line 2: invalid name");
    EXPECT_EQ(refusal(replaced(text, "wall", "desk")), "line 3: a second token of that name");
    EXPECT_EQ(refusal(replaced(text, "desk ", "desk  ")), "line 2: expected NAME ROLE CREATED EXPIRES SALT HASH");
    EXPECT_EQ(refusal(replaced(text, "never ", "never x")), "line 2: invalid salt: expected 32 hexadecimal digits");
    EXPECT_EQ(refusal(replaced(text, "\nwall", "0\nwall")), "line 2: invalid hash: expected 64 hexadecimal digits");
    EXPECT_EQ(refusal(text + "\n"), "line 5: text after \"end\"");
    EXPECT_EQ(refusal(replaced(text, "end\n", "")), "line 4: expected \"end\" after the last token");
    EXPECT_EQ(refusal(std::string(TokenList::kLongestBytes + 1, '\n')), "line 1: the text is longer than 64 KiB");
}

TEST(TokenList, RefusesTokensThatItCannotKeep) {
    Filled filled;
    EXPECT_EQ(filled.list.add({.name = "desk", .role = Role::read}).error().code, ErrorCode::already_exists);
    for (const char* const name : {"", "a b", "loopback", "-x"})
        EXPECT_EQ(filled.list.add({.name = name, .role = Role::read}).error().code, ErrorCode::invalid_argument)
            << name;
    EXPECT_EQ(filled.list.add({.name = "idle", .role = Role::none}).error().code, ErrorCode::invalid_argument);
    for (std::size_t i = 2; i < TokenList::kMaximumTokens; ++i)
        ASSERT_TRUE(filled.list.add({.name = "t" + std::to_string(i), .role = Role::read}));
    EXPECT_EQ(filled.list.add({.name = "more", .role = Role::read}).error().code, ErrorCode::resource_exhausted);
    EXPECT_LT(filled.list.write().size(), TokenList::kLongestBytes);
    EXPECT_TRUE(TokenList::read(filled.list.write()));
}

TEST(TokenList, TheLongestListIsShortEnough) {
    TokenList list;
    for (std::size_t i = 0; i < TokenList::kMaximumTokens; ++i) {
        std::string name(64, 'n');
        name.replace(0, 3, "n" + std::to_string(10 + i % 90));
        name.replace(3, 3, "m" + std::to_string(10 + i / 90));
        ASSERT_TRUE(
            list.add({.name = name, .role = Role::control, .created_s = 9'999'999'999, .expires_s = 99'999'999'999}));
    }
    EXPECT_LE(list.write().size(), TokenList::kLongestBytes);
}

TEST(TokenList, ARemovedTokenIsNotFound) {
    Filled filled;
    ASSERT_TRUE(filled.list.remove("desk"));
    EXPECT_EQ(filled.list.find_secret(filled.desk), nullptr);
    EXPECT_NE(filled.list.find_secret(filled.wall), nullptr);
    EXPECT_EQ(filled.list.remove("desk").error().code, ErrorCode::not_found);
}

TEST(TokenInfo, ExpiresAtItsTime) {
    const TokenInfo token{.name = "t", .role = Role::read, .created_s = 0, .expires_s = 100};
    EXPECT_FALSE(token.expired(99));
    EXPECT_TRUE(token.expired(100));
    EXPECT_FALSE((TokenInfo{.name = "t", .role = Role::read}.expired(1'000'000'000'000)));
}

}  // namespace
}  // namespace rta::store
