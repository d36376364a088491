// SPDX-License-Identifier: MIT
#include "toml/toml_text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace rta {
namespace {

/// Returns each entry as a line KEY=VALUE|VALUE|@LINE, and each table as [NAME]@LINE, its contents, and [].
[[nodiscard]] std::string summary(const TomlTable& table) {
    std::string lines;
    for (const TomlEntry& entry : table.entries) {
        lines += entry.key + "=";
        for (const std::string& value : entry.values) lines += value + "|";
        lines += "@" + std::to_string(entry.line) + "\n";
    }
    for (const TomlTable& inner : table.tables) {
        lines += "[" + inner.name + "]@" + std::to_string(inner.line) + "\n" + summary(inner) + "[]\n";
    }
    return lines;
}

[[nodiscard]] std::string summary(std::string_view text) {
    const auto table = read_toml(text);
    return table ? summary(*table) : table.error().sentence;
}

TEST(TomlText, ReadsToml) {
    EXPECT_EQ(summary(""), "");
    EXPECT_EQ(summary("\n# nothing\n  \t\r\n"), "");
    EXPECT_EQ(summary("a = 1"), "a=1|@1\n");
    EXPECT_EQ(summary("a=48_000 # Hz\nb-2\t= \"x # y\"#z\n"), "a=48000|@1\nb-2=x # y|@2\n");
    EXPECT_EQ(summary("\xEF\xBB\xBF\"a\" = 'C:\\x \"q\"'\r\n'b' = -3.5\r\n"), "a=C:\\x \"q\"|@1\nb=-3.5|@2\n");
    EXPECT_EQ(summary(R"(a = "tab\t quote\" back\\ \u00e9 \U0001F600 \u0041")"),
              "a=tab\t quote\" back\\ \u00e9 \U0001F600 A|@1\n");
    EXPECT_EQ(summary("a = []\nb = [ ]\nc = [1, \"two, three\", 'four',]\n"), "a=@1\nb=@2\nc=1|two, three|four|@3\n");
    EXPECT_EQ(summary("a = [ # first\n \"b\" # second\n\n , # third\n \"c\"\n]\nd = 1"), "a=b|c|@1\nd=1|@7\n");
    EXPECT_EQ(summary("a = \"\""), "a=|@1\n");
    EXPECT_EQ(summary("a = 0x10\nb = \"\"\"x\ny\"\"\"\nc = '''z'''"), "a=16|@1\nb=x\ny|@2\nc=z|@4\n");
}

TEST(TomlText, KeepsTheOrderOfTheText) { EXPECT_EQ(summary("z = 1\na = 2\nm = 3\n"), "z=1|@1\na=2|@2\nm=3|@3\n"); }

TEST(TomlText, RefusesInvalidTomlWithLineAndColumn) {
    struct Invalid {
        const char* text;
        const char* part;
    };
    const Invalid cases[] = {
        {"a", "line 1, column 2: "},
        {"a b = 1", "line 1, column 3: "},
        {"= 1", "line 1, column 1: "},
        {"\xC3\xA9 = 1", "line 1, column 1: "},
        {"a =", "line 1, column 4: "},
        {"a =\n1", "line 1, column "},
        {"a = null", "text must be in quotes"},
        {"\na = portaudio:USB", "line 2, column "},
        {"a = /var/lib", "text must be in quotes"},
        {"a = 1 2", "line 1, column 7: "},
        {"a = \"x\" y", "line 1, column 9: "},
        {"a = 1\nb = 2\na = 3", "line 3, column "},
        {"a = \"x", "line 1, column "},
        {"a = \"x\ny\"", "line 1, column "},
        {"a = 'x", "line 1, column "},
        {"a = \"\\q\"", "line 1, column "},
        {"a = \"\\u12\"", "line 1, column "},
        {"a = \"\\uD800\"", "line 1, column "},
        {"a = \"\\", "line 1, column "},
        {"a = \"\x01\"", "line 1, column "},
        {"# \x07", "line 1, column "},
        {"a = \"\xFF\"", "line 1, column "},
        {"\na = [1, 2\n\n", "line "},
        {"a = [1 2]", "line 1, column "},
        {"a = [,]", "line 1, column "},
        {"a = ]", "line 1, column 5: "},
    };
    for (const Invalid& invalid : cases) {
        const auto table = read_toml(invalid.text);
        ASSERT_FALSE(table) << invalid.text;
        EXPECT_NE(table.error().sentence.find(invalid.part), std::string::npos)
            << invalid.text << ": " << table.error().sentence;
    }
    EXPECT_NE(summary("a = 1\na = 2").find("'a'"), std::string::npos) << summary("a = 1\na = 2");
    EXPECT_EQ(summary(std::string_view{"a = 1\0", 6}), "invalid text: contains a NUL byte");
}

TEST(TomlText, ReadsTablesInTheOrderOfTheText) {
    EXPECT_TRUE(summary("a = 1\n[a.y]\n").find("cannot redefine") != std::string::npos) << summary("a = 1\n[a.y]\n");
    EXPECT_EQ(summary("a = 1\n[z]\nb = 2\n[m.y]\n[hosts.\"a.b\"]\nc = 3\n[hosts.d]\ne = {f = 4}\n"),
              "a=1|@1\n[z]@2\nb=2|@3\n[]\n[m]@4\n[y]@4\n[]\n[]\n"
              "[hosts]@5\n[a.b]@5\nc=3|@6\n[]\n[d]@7\n[e]@8\nf=4|@8\n[]\n[]\n[]\n");
}

TEST(TomlText, ReportsTheKindsOfValues) {
    const auto table = read_toml("a = true\nb = [1, \"x\", false]\nc = \"true\"\n");
    ASSERT_TRUE(table) << table.error().sentence;
    const TomlEntry& a = table->entries[0];
    EXPECT_TRUE(a.has_boolean && !a.has_number && !a.is_array);
    EXPECT_EQ(a.values, std::vector<std::string>{"true"});
    const TomlEntry& b = table->entries[1];
    EXPECT_TRUE(b.has_boolean && b.has_number && b.is_array);
    EXPECT_EQ(b.values, (std::vector<std::string>{"1", "x", "false"}));
    const TomlEntry& c = table->entries[2];
    EXPECT_TRUE(!c.has_boolean && !c.has_number && !c.is_array);
}

TEST(TomlText, RefusesOtherTypesWithTheLine) {
    EXPECT_NE(summary("a = 1979-05-27").find("line 1: invalid value of \"a\""), std::string::npos);
    EXPECT_NE(summary("a = [\n1,\n[1]]").find("line 3: invalid value of \"a\""), std::string::npos);
    EXPECT_EQ(summary("a = \"\\u0000\""), "line 1: invalid text of \"a\": contains a NUL byte");
    EXPECT_NE(summary("\n[[a]]\n").find("line 2: unexpected table \"a\": lists of tables"), std::string::npos);
}

TEST(TomlText, RefusesManyTablesInTables) {
    EXPECT_EQ(summary("[a.b.c.d.e.f.g.h]\n").substr(0, 6), "[a]@1\n");
    EXPECT_NE(summary("\n[a.b.c.d.e.f.g.h.i]\n").find("line 2: table \"i\" is in too many tables"), std::string::npos);
    // toml++ alone would overflow the stack.
    std::string deep;
    for (int i = 0; i < 500'000; ++i) deep += "a.";
    EXPECT_EQ(summary(deep + "a = 1"), "invalid text: contains more than 10000 dots");
    EXPECT_EQ(summary("a = \"" + std::string(10'000, '.') + "\""), "a=" + std::string(10'000, '.') + "|@1\n");
    EXPECT_NE(summary(deep.substr(0, 20'000) + "a = 1").find("is in too many tables"), std::string::npos);
}

TEST(TomlText, ReadsOrRefusesEveryPrefixOfAFile) {
    const std::string text = "# c\r\na = [\"b\\u00e9\", 'c', -1_0] # d\n\"k\" = 2\n";
    for (std::size_t length = 0; length <= text.size(); ++length) static_cast<void>(summary(text.substr(0, length)));
}

TEST(TomlText, ReadsOrRefusesRandomText) {
    std::mt19937 random{1};
    const std::string alphabet = "ab.=[]{}\"'#\n ,\\1-+eu:tT\r\xFF\xC3\xA9";
    std::size_t accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::size_t left = random() % 24; left > 0; --left) text += alphabet[random() % alphabet.size()];
        const auto table = read_toml(text);
        accepted += table ? 1U : 0U;
        if (!table) {
            EXPECT_TRUE(table.error().sentence.starts_with("line ")) << text << ": " << table.error().sentence;
        }
    }
    EXPECT_GT(accepted, 100U);
    EXPECT_LT(accepted, 19'000U);
}

}  // namespace
}  // namespace rta
