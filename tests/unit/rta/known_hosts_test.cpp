// SPDX-License-Identifier: MIT
#include "rta/known_hosts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <future>
#include <vector>

#include "support/temporary.h"

namespace rta::client {
namespace {

const std::string kFirst = "SHA256:B9jOOvU2nk6qQxjG+WCvZwwIqdrNqBTAqpAsI0EEerY";
const std::string kSecond = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

TEST(KnownHosts, ReadsHostsCommentsAndEmptyLines) {
    const auto hosts = parse_known_hosts("# studio\n\nstudio:7340 " + kFirst + "\n  [::1]:80\t" + kSecond +
                                         " # mine\r\nSTUDIO:7340 " + kSecond);
    ASSERT_TRUE(hosts) << hosts.error();
    ASSERT_EQ(hosts->size(), 3U);
    EXPECT_EQ((*hosts)[0].host, "studio:7340");
    EXPECT_EQ((*hosts)[0].fingerprint, kFirst);
    EXPECT_EQ((*hosts)[0].line, 3U);
    EXPECT_EQ((*hosts)[1].host, "[::1]:80");
    EXPECT_EQ((*hosts)[1].fingerprint, kSecond);
    EXPECT_EQ((*hosts)[2].host, "studio:7340");
    EXPECT_EQ((*hosts)[2].line, 5U);
}

TEST(KnownHosts, RefusesAnyOtherLineBecauseItsHostWouldBeTrustedAgain) {
    for (const std::string& line : std::vector<std::string>{
             "studio:7340", "studio " + kFirst, "studio:7340 SHA256:B9jO", "studio:7340 " + kFirst + " x", kFirst,
             "studio:7340" + kFirst, "studio:0 " + kFirst, "studio:7340 " + kFirst.substr(7), "::1:80 " + kFirst,
             "studio:7340 " + kFirst.substr(0, 49) + "Z"}) {
        const auto hosts = parse_known_hosts("# first\n" + line + "\n");
        ASSERT_FALSE(hosts) << line;
        EXPECT_TRUE(hosts.error().starts_with("line 2: ")) << hosts.error();
        EXPECT_NE(hosts.error().find("HOST:PORT SHA256:"), std::string::npos) << hosts.error();
    }
}

TEST(KnownHosts, KnowsFingerprints) {
    EXPECT_TRUE(is_fingerprint(kFirst));
    EXPECT_TRUE(is_fingerprint(kSecond));
    for (const char* text :
         {"", "SHA256:", "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
          "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
          "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-AA"}) {
        EXPECT_FALSE(is_fingerprint(text)) << text;
    }
}

class KnownHostsFile : public testing::Test {
 protected:
    [[nodiscard]] mode_t mode_of(const std::string& path) const {
        struct stat status{};
        EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
        return status.st_mode & 07777U;
    }
    test::TemporaryDirectory directory;
    std::string file = directory / "config/rtactl/known_hosts";
};

TEST_F(KnownHostsFile, IsCreatedWithItsFoldersForTheUserAlone) {
    const auto none = read_known_hosts(file);
    ASSERT_TRUE(none) << none.error();
    EXPECT_TRUE(none->empty());
    const auto added = add_known_host(file, "studio:7340", kFirst);
    ASSERT_TRUE(added) << added.error();
    EXPECT_EQ(test::read_text(file), "studio:7340 " + kFirst + "\n");
    EXPECT_EQ(mode_of(file), 0600U);
    EXPECT_EQ(mode_of(directory / "config/rtactl"), 0700U);
    EXPECT_EQ(mode_of(directory / "config"), 0700U);
}

TEST_F(KnownHostsFile, KeepsItsOtherLines) {
    ASSERT_TRUE(add_known_host(file, "studio:7340", kFirst));
    const std::string text = "# by hand\n\nstage:1 " + kSecond + "  # comment";
    test::write_text(file, text);
    ASSERT_TRUE(add_known_host(file, "studio:7340", kFirst));
    EXPECT_EQ(test::read_text(file), text + "\nstudio:7340 " + kFirst + "\n");
    ASSERT_TRUE(add_known_host(file, "studio:7340", kFirst)) << "added by another process in the meantime";
    EXPECT_EQ(test::read_text(file), text + "\nstudio:7340 " + kFirst + "\n");
    EXPECT_EQ(read_known_hosts(file)->size(), 2U);
}

TEST_F(KnownHostsFile, DoesNotReplaceAFingerprint) {
    ASSERT_TRUE(add_known_host(file, "studio:7340", kFirst));
    const auto refused = add_known_host(file, "studio:7340", kSecond);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find("line 1"), std::string::npos) << refused.error();
    EXPECT_EQ(test::read_text(file), "studio:7340 " + kFirst + "\n");
}

TEST_F(KnownHostsFile, StaysWhereASymbolicLinkPoints) {
    std::filesystem::create_directories(directory / "config/rtactl");
    test::write_text(directory / "real", "# synchronised\n");
    std::filesystem::create_symlink(directory / "real", file);
    ASSERT_TRUE(add_known_host(file, "studio:7340", kFirst));
    EXPECT_TRUE(std::filesystem::is_symlink(file));
    EXPECT_EQ(test::read_text(directory / "real"), "# synchronised\nstudio:7340 " + kFirst + "\n");
}

TEST_F(KnownHostsFile, LosesNoLineOfAnotherProcess) {
    std::vector<std::future<bool>> writers;
    for (int i = 1; i <= 20; ++i) {
        writers.push_back(std::async(std::launch::async, [&, i] {
            return add_known_host(file, "host:" + std::to_string(i), kFirst).has_value();
        }));
    }
    for (auto& writer : writers) EXPECT_TRUE(writer.get());
    EXPECT_EQ(read_known_hosts(file)->size(), 20U);
    for (const auto& entry : std::filesystem::directory_iterator{directory / "config/rtactl"}) {
        EXPECT_EQ(entry.path(), file);
    }
}

TEST_F(KnownHostsFile, NamesWhatCannotBeReadOrWritten) {
    ASSERT_TRUE(add_known_host(file, "studio:7340", kFirst));
    test::write_text(file, "studio\n");
    EXPECT_NE(read_known_hosts(file).error().find(file + ": line 1"), std::string::npos);
    EXPECT_FALSE(add_known_host(file, "other:1", kFirst));
    EXPECT_EQ(test::read_text(file), "studio\n");
    for (const std::string& other : {directory.path().string(), std::string{"/dev/null"}}) {
        const auto refused = read_known_hosts(other);
        ASSERT_FALSE(refused) << other;
        EXPECT_NE(refused.error().find(other), std::string::npos) << refused.error();
    }
    const std::string below = file + "/below/known_hosts";
    const auto refused = add_known_host(below, "studio:7340", kFirst);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find(file), std::string::npos) << refused.error();
}

}  // namespace
}  // namespace rta::client
