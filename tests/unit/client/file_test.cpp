// SPDX-License-Identifier: MIT
#include "rtactl/terminal/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <future>
#include <sstream>

#include "support/temporary.h"

namespace rta::rtactl {
namespace {

std::size_t files_in(const std::filesystem::path& directory) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{directory}, {}));
}

TEST(File, ReadsAllOfIt) {
    const test::TemporaryDirectory directory;
    const std::string text = std::string(200'000, 'x') + '\0' + "end";
    test::write_text(directory / "f", text);
    EXPECT_EQ(read_file(directory / "f", text.size()), text);
    const auto too_large = read_file(directory / "f", text.size() - 1);
    ASSERT_FALSE(too_large);
    EXPECT_NE(too_large.error().find("more than 200003 bytes"), std::string::npos) << too_large.error();
    EXPECT_FALSE(read_file("/dev/zero", 1000)) << "a file without an end";
}

TEST(File, TellsWhyItCannotBeRead) {
    const test::TemporaryDirectory directory;
    const auto missing = read_file(directory / "missing", 100);
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().find("missing\": No such file or directory"), std::string::npos) << missing.error();
    EXPECT_NE(read_file(directory.path(), 100).error().find("Is a directory"), std::string::npos);
    EXPECT_FALSE(read_file("", 100));
    EXPECT_FALSE(read_file(std::string(1'000'000, 'x'), 100));
    std::istringstream stream{"abc"};
    EXPECT_EQ(read_stream(stream, "standard input", 3), "abc");
}

TEST(File, ReplacesInOneStep) {
    const test::TemporaryDirectory directory;
    const std::string path = directory / "f";
    ASSERT_TRUE(replace_file(path, "one"));
    EXPECT_EQ(test::read_text(path), "one");
    struct stat before{};
    ASSERT_EQ(::stat(path.c_str(), &before), 0);
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    ASSERT_TRUE(replace_file(path, "two"));
    struct stat after{};
    ASSERT_EQ(::stat(path.c_str(), &after), 0);
    EXPECT_EQ(test::read_text(path), "two");
    EXPECT_NE(before.st_ino, after.st_ino) << "a reader that has the old file open keeps the old text";
    EXPECT_EQ(after.st_mode & 07777U, 0640U);
    EXPECT_EQ(files_in(directory.path()), 1U) << "a temporary file was left behind";
}

TEST(File, KeepsASymbolicLink) {
    const test::TemporaryDirectory directory;
    test::write_text(directory / "real", "one");
    std::filesystem::create_symlink("real", directory / "link");
    ASSERT_TRUE(replace_file(directory / "link", "two"));
    EXPECT_TRUE(std::filesystem::is_symlink(directory / "link"));
    EXPECT_EQ(test::read_text(directory / "real"), "two");
}

TEST(File, TellsWhyItCannotBeWritten) {
    const test::TemporaryDirectory directory;
    EXPECT_NE(replace_file(directory.path(), "x").error().find("Is a directory"), std::string::npos);
    EXPECT_NE(replace_file(directory / "no/such", "x").error().find("No such file or directory"), std::string::npos);
    EXPECT_NE(replace_file("/dev/full", "x").error().find("No space left on device"), std::string::npos);
    EXPECT_EQ(files_in(directory.path()), 0U);
}

TEST(File, WritesIntoAPipe) {
    const test::TemporaryDirectory directory;
    const std::string pipe = directory / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    auto reader = std::async(std::launch::async, [&] { return test::read_text(pipe); });
    ASSERT_TRUE(replace_file(pipe, "through the pipe"));
    EXPECT_EQ(reader.get(), "through the pipe");
}

}  // namespace
}  // namespace rta::rtactl
