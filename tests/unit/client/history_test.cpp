// SPDX-License-Identifier: MIT
#include "rtactl/terminal/history.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "support/temporary.h"

namespace rta::test {
namespace {

using rtactl::History;
using Lines = std::vector<std::string>;

mode_t mode_of(const std::filesystem::path& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
}

class HistoryTest : public testing::Test {
 protected:
    TemporaryDirectory directory_;
    std::filesystem::path path_ = directory_ / "state" / "rtactl" / "history";
};

TEST_F(HistoryTest, IsKeptForItsOwnerAlone) {
    History history{path_};
    EXPECT_EQ(history.load(), Lines{}) << "there is none yet";
    history.add("status");
    history.add("set osc.gain_db=-6");
    history.add("set osc.gain_db=-6");
    history.add("");
    EXPECT_EQ(History{path_}.load(), (Lines{"status", "set osc.gain_db=-6"}));
    EXPECT_EQ(mode_of(path_), 0600U);
    EXPECT_EQ(mode_of(path_.parent_path()), 0700U);
    std::filesystem::permissions(path_, std::filesystem::perms::all);
    history.add("quit");
    EXPECT_EQ(mode_of(path_), 0600U);
}

TEST_F(HistoryTest, OfTwoShellsAtOnceKeepsBoth) {
    History one{path_};
    History other{path_};
    one.add("a");
    other.add("b");
    one.add("c");
    EXPECT_EQ(History{path_}.load(), (Lines{"a", "b", "c"}));
}

TEST_F(HistoryTest, IsBounded) {
    std::filesystem::create_directories(path_.parent_path());
    std::string text;
    for (std::size_t i = 0; i < 2 * History::kMaximumLines + 1; ++i) text += "line " + std::to_string(i) + "\n";
    write_text(path_, text);
    std::filesystem::permissions(path_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const Lines lines = History{path_}.load();
    ASSERT_EQ(lines.size(), History::kMaximumLines);
    EXPECT_EQ(lines.back(), "line " + std::to_string(2 * History::kMaximumLines));
    EXPECT_EQ(lines.front(), "line " + std::to_string(History::kMaximumLines + 1));
    EXPECT_LT(std::filesystem::file_size(path_), text.size()) << "the file is cut too";
    EXPECT_EQ(History{path_}.load(), lines);
    EXPECT_EQ(mode_of(path_), 0600U);
    History{path_}.add(std::string(History::kMaximumLineBytes + 1, 'x'));
    EXPECT_EQ(History{path_}.load(), lines);
}

TEST_F(HistoryTest, UnusableFileIsIgnored) {
    std::filesystem::create_directories(path_);
    for (const std::string& path :
         {std::string{}, path_.string(), std::string{"/proc/nowhere/history"}, std::string{"/dev/null"}}) {
        History history{path};
        history.add("status");
        EXPECT_EQ(history.load(), Lines{}) << path;
    }
    const std::filesystem::path pipe = directory_ / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    History of_pipe{pipe};
    of_pipe.add("nobody reads this, and nobody waits");
    EXPECT_EQ(of_pipe.load(), Lines{});
}

TEST_F(HistoryTest, PathFollowsTheEnvironment) {
    const auto path_with = [](const char* state, const char* home) {
        const auto set = [](const char* name, const char* value) {
            return value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
        };
        EXPECT_EQ(set("XDG_STATE_HOME", state) + set("HOME", home), 0);
        return rtactl::history_path();
    };
    EXPECT_EQ(path_with("/state", "/home/a"), "/state/rtactl/history");
    EXPECT_EQ(path_with(nullptr, "/home/a"), "/home/a/.local/state/rtactl/history");
    EXPECT_EQ(path_with("relative", "/home/a"), "/home/a/.local/state/rtactl/history") << "the specification says so";
    EXPECT_EQ(path_with(nullptr, nullptr), "");
}

}  // namespace
}  // namespace rta::test
