// SPDX-License-Identifier: MIT
#include "store/token_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "support/temporary.h"

namespace rta::store {
namespace {

using test::TemporaryDirectory;

mode_t mode_of(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
}

TokenList one_token() {
    TokenList list;
    EXPECT_TRUE(list.add({.name = "desk", .role = Role::control}));
    return list;
}

class TokenFile : public ::testing::Test {
 protected:
    [[nodiscard]] std::size_t file_count() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{folder.path()}, {}));
    }

    TemporaryDirectory folder;
    std::string path = folder / "tokens";
};

TEST_F(TokenFile, WithoutAFileThereAreNoTokens) {
    EXPECT_TRUE(read_token_file(path)->empty());
    EXPECT_TRUE(read_token_file(folder / "missing/tokens")->empty());
}

TEST_F(TokenFile, IsReadableByItsUserOnlyWhateverTheUmask) {
    const mode_t mask = ::umask(0);
    const auto written = write_token_file(path, one_token());
    ::umask(mask);
    ASSERT_TRUE(written) << written.error().sentence;
    EXPECT_EQ(mode_of(path), 0600U);
    EXPECT_EQ(read_token_file(path)->infos().front().name, "desk");
    EXPECT_EQ(file_count(), 1U);
}

TEST_F(TokenFile, IsReplacedAsAWhole) {
    ASSERT_TRUE(write_token_file(path, one_token()));
    const std::string other_name = folder / "other";
    // A hard link keeps the old contents: the file is replaced, not overwritten.
    ASSERT_EQ(::link(path.c_str(), other_name.c_str()), 0);
    ASSERT_TRUE(write_token_file(path, TokenList{}));
    EXPECT_TRUE(read_token_file(path)->empty());
    EXPECT_FALSE(read_token_file(other_name)->empty());
}

TEST_F(TokenFile, AFailedWriteLeavesTheOldFile) {
    const std::string inner = folder / "inner";
    std::filesystem::create_directory(inner);
    EXPECT_EQ(write_token_file(folder / "missing/tokens", one_token()).error().code, ErrorCode::unavailable);
    // A directory in its place cannot be replaced by a file.
    EXPECT_EQ(write_token_file(inner, one_token()).error().code, ErrorCode::unavailable);
    EXPECT_TRUE(std::filesystem::is_directory(inner));
    EXPECT_EQ(file_count(), 1U) << "a temporary file was left";
}

TEST_F(TokenFile, ADamagedFileIsNotAFileWithoutTokens) {
    const std::string text = one_token().write();
    for (const std::string& damaged : {std::string{}, text.substr(0, text.size() - 4), std::string(100'000, 'x')}) {
        test::write_text(path, damaged);
        const auto list = read_token_file(path);
        ASSERT_FALSE(list);
        EXPECT_EQ(list.error().code, ErrorCode::invalid_argument);
        EXPECT_NE(list.error().sentence.find(path + " is damaged: "), std::string::npos) << list.error().sentence;
    }
}

TEST_F(TokenFile, AFileThatCannotBeReadIsNotAFileWithoutTokens) {
    std::filesystem::create_directory(path);
    EXPECT_EQ(read_token_file(path).error().code, ErrorCode::invalid_argument);
    std::filesystem::remove(path);
    std::filesystem::create_symlink("nowhere", path);
    EXPECT_EQ(read_token_file(path).error().code, ErrorCode::unavailable);
    std::filesystem::remove(path);
    std::filesystem::create_symlink("tokens", path);
    EXPECT_EQ(read_token_file(path).error().code, ErrorCode::unavailable);
}

TEST_F(TokenFile, AFileThatOtherUsersMayChangeIsRefused) {
    ASSERT_TRUE(write_token_file(path, one_token()));
    for (const mode_t mode : {0602U, 0620U}) {
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
        EXPECT_EQ(read_token_file(path).error().code, ErrorCode::permission_denied) << mode;
    }
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    EXPECT_TRUE(read_token_file(path));
}

TEST_F(TokenFile, IsLockedOnce) {
    auto lock = lock_token_file(path);
    ASSERT_TRUE(lock) << lock.error().sentence;
    EXPECT_EQ(mode_of(path + ".lock"), 0600U);
    EXPECT_EQ(lock_token_file(path).error().code, ErrorCode::already_exists);
    lock->reset();
    EXPECT_TRUE(lock_token_file(path));
    EXPECT_EQ(lock_token_file(folder / "missing/tokens").error().code, ErrorCode::unavailable);
}

TEST_F(TokenFile, AsRootItBelongsToTheOwnerOfItsFolder) {
    if (::geteuid() != 0) GTEST_SKIP() << "not root";
    constexpr uid_t kOther = 65'534;
    ASSERT_EQ(::chown(folder.path().c_str(), kOther, kOther), 0);
    ASSERT_TRUE(write_token_file(path, one_token()));
    const auto lock = lock_token_file(path);
    for (const std::string& file : {path, path + ".lock"}) {
        struct stat status{};
        ASSERT_EQ(::stat(file.c_str(), &status), 0);
        EXPECT_EQ(status.st_uid, kOther) << file;
    }
}

}  // namespace
}  // namespace rta::store
