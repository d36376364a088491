// SPDX-License-Identifier: MIT
#include "os/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "os/file_identity.h"
#include "support/temporary.h"

namespace rta::os {
namespace {

TEST(ReadToEnd, ReturnsTheWholeFile) {
    const test::TemporaryDirectory directory;
    const std::string text(200'000, 'x');
    test::write_text(directory / "a", text);
    EXPECT_EQ(*read_to_end(open_to_read(directory / "a")->get(), text.size()), text);
    EXPECT_EQ(read_to_end(open_to_read(directory / "a")->get(), text.size() - 1).error(), std::errc::file_too_large);
    EXPECT_EQ(read_to_end(open_folder(directory.path())->get(), 1).error(), std::errc::is_a_directory);
}

TEST(ReadToEnd, DoesNotTrustTheSizeOfTheFile) {
    const UniqueFd zeros = *open_to_read("/dev/zero");
    EXPECT_FALSE(is_regular_file(zeros.get()));
    EXPECT_EQ(read_to_end(zeros.get(), 100'000).error(), std::errc::file_too_large);
}

TEST(OpenToRead, DoesNotWaitForTheWriterOfAFifo) {
    const test::TemporaryDirectory directory;
    ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
    const auto fifo = open_to_read(directory / "fifo");
    ASSERT_TRUE(fifo);
    EXPECT_FALSE(is_regular_file(fifo->get()));
}

TEST(OpenToRead, ReportsErrors) {
    const test::TemporaryDirectory directory;
    EXPECT_EQ(open_to_read(directory / "missing").error(), std::errc::no_such_file_or_directory);
    const UniqueFd folder = *open_folder(directory.path());
    EXPECT_EQ(open_to_read(folder.get(), "missing").error(), std::errc::no_such_file_or_directory);
    test::write_text(directory / "a", "a");
    EXPECT_TRUE(open_to_read(folder.get(), "a"));
    EXPECT_EQ(open_folder(directory / "a").error(), std::errc::not_a_directory);
}

TEST(WriteAll, ReportsAFullDisk) {
    const UniqueFd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    ASSERT_TRUE(full);
    EXPECT_EQ(write_all(full.get(), "text").error(), std::errc::no_space_on_device);
    EXPECT_TRUE(write_all(full.get(), ""));
}

TEST(WriteAllAt, DoesNotMoveThePosition) {
    const test::TemporaryDirectory directory;
    const UniqueFd file{::open((directory / "a").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    ASSERT_TRUE(write_all(file.get(), "head body"));
    ASSERT_TRUE(write_all_at(file.get(), "HE", 0));
    ASSERT_TRUE(write_all_at(file.get(), "BO", 5));
    ASSERT_TRUE(write_all(file.get(), " end"));
    EXPECT_EQ(test::read_text(directory / "a"), "HEad BOdy end");
    const UniqueFd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    EXPECT_EQ(write_all_at(full.get(), "text", 0).error(), std::errc::no_space_on_device);
}

TEST(FolderOf, IsThePathWithoutItsLastComponent) {
    EXPECT_EQ(folder_of("a"), ".");
    EXPECT_EQ(folder_of("a/b"), "a");
    EXPECT_EQ(folder_of("/a/b"), "/a");
    EXPECT_EQ(folder_of("/a"), "/");
}

TEST(RenameToFreeName, NeverOverwrites) {
    const test::TemporaryDirectory directory;
    const UniqueFd folder = *open_folder(directory.path());
    for (const char* const text : {"first", "second"}) {
        test::write_text(directory / "a", text);
        ASSERT_TRUE(rename_to_free_name(folder.get(), "a", ".kept-"));
    }
    EXPECT_EQ(test::read_text(directory / "a.kept-1"), "first");
    EXPECT_EQ(test::read_text(directory / "a.kept-2"), "second");
    EXPECT_EQ(rename_to_free_name(folder.get(), "a", ".kept-").error(), std::errc::no_such_file_or_directory);

    test::write_text(directory / "a", "third");
    EXPECT_EQ(*rename_to_free_name(AT_FDCWD, directory / "a", ".kept-"), (directory / "a.kept-3").string());
}

TEST(FileIdentity, TellsFilesApart) {
    const test::TemporaryDirectory directory;
    test::write_text(directory / "a", "a");
    test::write_text(directory / "b", "b");
    EXPECT_EQ(FileIdentity::at(directory / "missing"), std::nullopt);
    EXPECT_NE(FileIdentity::at(directory / "a"), FileIdentity::at(directory / "b"));
    std::filesystem::create_hard_link(directory / "a", directory / "c");
    EXPECT_EQ(FileIdentity::at(directory / "a"), FileIdentity::at(directory / "c"));
}

TEST(IsStillAt, NoticesAnotherFolderOfThatName) {
    const test::TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "state");
    const UniqueFd folder = *open_folder(directory / "state");
    EXPECT_TRUE(is_still_at(folder.get(), directory / "state"));
    std::filesystem::rename(directory / "state", directory / "moved");
    EXPECT_FALSE(is_still_at(folder.get(), directory / "state"));
    std::filesystem::create_directory(directory / "state");
    EXPECT_FALSE(is_still_at(folder.get(), directory / "state"));
}

}  // namespace
}  // namespace rta::os
