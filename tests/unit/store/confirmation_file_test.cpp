// SPDX-License-Identifier: MIT
#include "store/confirmation_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "support/temporary.h"

namespace rta::store {
namespace {

namespace fs = std::filesystem;

class ConfirmationFileTest : public ::testing::Test {
 protected:
    test::TemporaryDirectory directory;
    ConfirmationFile file{directory.path().string()};
};

TEST_F(ConfirmationFileTest, IsReadAsItWasWrittenAndRemoved) {
    EXPECT_EQ(*file.read(), std::nullopt);
    EXPECT_TRUE(file.remove());
    std::string text = "one\n";
    text += '\0';
    for (const std::string& contents : {std::string{}, text, std::string(100'000, 'x')}) {
        ASSERT_TRUE(file.write(contents));
        EXPECT_EQ(*file.read(), contents);
    }
    struct stat status{};
    ASSERT_EQ(::stat(file.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_TRUE(file.remove());
    EXPECT_EQ(*file.read(), std::nullopt);
    EXPECT_TRUE(fs::is_empty(directory.path())) << "no temporary file is left";
}

TEST_F(ConfirmationFileTest, DamageIsFoundAndKept) {
    ASSERT_TRUE(file.write("the graph"));
    const std::string good = test::read_text(file.path());
    for (const std::string& damaged :
         {std::string{}, good.substr(0, good.size() - 1), good + "x", "rtad confirmation 2 " + good.substr(20),
          std::string{good}.replace(good.size() - 2, 1, "?")}) {
        test::write_text(file.path(), damaged);
        EXPECT_EQ(file.read().error().code, ErrorCode::invalid_argument) << damaged;
    }
    EXPECT_EQ(*file.rename(), (directory.path() / "confirmation.kept-1").string());
    EXPECT_EQ(*file.read(), std::nullopt);
}

TEST_F(ConfirmationFileTest, AFolderThatIsMissingOrBlockedIsReported) {
    const ConfirmationFile missing{(directory.path() / "none").string()};
    EXPECT_EQ(*missing.read(), std::nullopt);
    EXPECT_TRUE(missing.remove());
    EXPECT_EQ(missing.write("x").error().code, ErrorCode::unavailable);
    fs::create_directory(file.path());
    EXPECT_EQ(file.write("x").error().code, ErrorCode::unavailable);
    EXPECT_EQ(file.remove().error().code, ErrorCode::unavailable);
    EXPECT_EQ(file.read().error().code, ErrorCode::invalid_argument) << "it can be renamed";
    EXPECT_TRUE(file.rename());
    ASSERT_EQ(::mkfifo((directory.path() / ConfirmationFile::kNewName).c_str(), 0600), 0);
    EXPECT_TRUE(file.write("x")) << "it does not wait for a reader";
    EXPECT_EQ(*file.read(), "x");
}

}  // namespace
}  // namespace rta::store
