// SPDX-License-Identifier: MIT
#include "os/file_replacement.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "os/file.h"
#include "support/temporary.h"

namespace rta::os {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777U;
}

std::ptrdiff_t files_in(const fs::path& path) {
    return std::distance(fs::directory_iterator{path}, fs::directory_iterator{});
}

TEST(FileReplacement, ReplacesAFileAsAWhole) {
    const test::TemporaryDirectory directory;
    const std::string target = directory / "a";
    test::write_text(target, "old");
    ::chmod(target.c_str(), 0640);
    auto replacement = FileReplacement::create(target, ".new-");
    ASSERT_TRUE(replacement);
    EXPECT_TRUE(replacement->path().starts_with(target + ".new-"));
    EXPECT_EQ(mode_of(replacement->path()), 0600U);
    ASSERT_TRUE(write_all(replacement->fd(), "new"));
    ASSERT_TRUE(replacement->take_mode_of_target());
    ASSERT_TRUE(replacement->flush());
    EXPECT_EQ(test::read_text(target), "old");
    ASSERT_TRUE(replacement->rename());
    ASSERT_TRUE(replacement->sync_folder());
    EXPECT_EQ(test::read_text(target), "new");
    EXPECT_EQ(mode_of(target), 0640U);
    EXPECT_EQ(files_in(directory.path()), 1);
}

TEST(FileReplacement, TakesTheModeOfANewFile) {
    const test::TemporaryDirectory directory;
    auto replacement = FileReplacement::create(directory / "a", ".");
    ASSERT_TRUE(replacement);
    replacement->close();
    ASSERT_TRUE(replacement->take_mode_of_target());
    ASSERT_TRUE(replacement->rename());
    EXPECT_EQ(mode_of(directory / "a"), mode_of_new_file());
}

TEST(FileReplacement, RemovesWhatWasNotRenamed) {
    const test::TemporaryDirectory directory;
    test::write_text(directory / "a", "old");
    {
        auto replacement = FileReplacement::create(directory / "a", ".");
        ASSERT_TRUE(replacement);
        const FileReplacement moved{std::move(*replacement)};
        EXPECT_EQ(files_in(directory.path()), 2);
    }
    EXPECT_EQ(files_in(directory.path()), 1);
    EXPECT_EQ(test::read_text(directory / "a"), "old");
}

TEST(FileReplacement, WritesInAFolder) {
    const test::TemporaryDirectory directory;
    const UniqueFd folder = *open_folder(directory.path());
    test::write_text(directory / "a.new", "a longer text, left by a crash");
    auto replacement = FileReplacement::create_in(folder.get(), "a.new", "a", 0600);
    ASSERT_TRUE(replacement);
    ASSERT_TRUE(write_all(replacement->fd(), "new"));
    ASSERT_TRUE(replacement->flush());
    ASSERT_TRUE(replacement->rename());
    ASSERT_TRUE(replacement->sync_folder());
    EXPECT_EQ(test::read_text(directory / "a"), "new");
}

TEST(FileReplacement, FollowsNoLink) {
    const test::TemporaryDirectory directory;
    test::write_text(directory / "victim", "old");
    fs::create_symlink(directory / "victim", directory / "a.new");
    const UniqueFd folder = *open_folder(directory.path());
    auto replacement = FileReplacement::create_in(folder.get(), "a.new", "a", 0600);
    ASSERT_TRUE(replacement) << "the link is replaced";
    EXPECT_TRUE(write_all(replacement->fd(), "new"));
    EXPECT_TRUE(replacement->rename());
    EXPECT_EQ(test::read_text(directory / "victim"), "old");
    EXPECT_EQ(test::read_text(directory / "a"), "new");
    EXPECT_EQ(FileReplacement::create(directory / "missing/a", ".").error(), std::errc::no_such_file_or_directory);
}

TEST(RealPath, LeadsToTheFileOfALink) {
    const test::TemporaryDirectory directory;
    test::write_text(directory / "file", "");
    fs::create_symlink(directory / "file", directory / "link");
    EXPECT_EQ(real_path(directory / "link"), fs::canonical(directory / "file").string());
    EXPECT_EQ(real_path(directory / "missing"), (directory / "missing").string());
}

}  // namespace
}  // namespace rta::os
