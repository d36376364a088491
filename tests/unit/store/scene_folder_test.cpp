// SPDX-License-Identifier: MIT
// The files of scenes.
#include "store/scene_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/temporary.h"

namespace rta::store {
namespace {

namespace fs = std::filesystem;
using test::read_text;
using test::write_text;

constexpr std::size_t kMost = std::size_t{1} << 20U;

class SceneFolderTest : public testing::Test {
 protected:
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const SceneFolder::File& file : folder_.read(kMost).files) found.push_back(file.name);
        return found;
    }

    test::TemporaryDirectory directory_;
    SceneFolder folder_{directory_.path().string()};
    fs::path path_ = directory_.path() / "scenes";
};

TEST_F(SceneFolderTest, NothingIsReadOfAFolderThatDoesNotExist) {
    const SceneFolder::Contents contents = folder_.read(kMost);
    EXPECT_TRUE(contents.files.empty());
    EXPECT_TRUE(contents.errors.empty());
    EXPECT_FALSE(fs::exists(path_));
}

TEST_F(SceneFolderTest, ScenesAreWrittenRenamedAndRemoved) {
    ASSERT_TRUE(folder_.write("night", "1"));
    ASSERT_TRUE(folder_.write("day", "2"));
    ASSERT_TRUE(folder_.write("day", "3"));
    EXPECT_EQ(names(), (std::vector<std::string>{"day", "night"}));
    EXPECT_EQ(folder_.read(kMost).files[0].text, "3");
    ASSERT_TRUE(folder_.rename("day", "noon"));
    EXPECT_EQ(names(), (std::vector<std::string>{"night", "noon"}));
    ASSERT_TRUE(folder_.remove("night"));
    EXPECT_EQ(names(), std::vector<std::string>{"noon"});
    EXPECT_TRUE(folder_.remove("night")) << "it may have been removed by hand";
    EXPECT_FALSE(folder_.rename("night", "x"));
    struct stat status{};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
    ASSERT_EQ(::stat((path_ / "noon.json").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(SceneFolderTest, WhatACrashHasLeftIsRemovedAndOtherFilesStay) {
    ASSERT_TRUE(folder_.write("day", "1"));
    write_text(path_ / "day.json.new-a1B2c3", "half");
    write_text(path_ / "notes.txt", "mine");
    write_text(path_ / "day.json.kept-1", "old");
    EXPECT_EQ(names(), std::vector<std::string>{"day"});
    EXPECT_FALSE(fs::exists(path_ / "day.json.new-a1B2c3"));
    EXPECT_TRUE(fs::exists(path_ / "notes.txt"));
    EXPECT_TRUE(fs::exists(path_ / "day.json.kept-1"));
}

TEST_F(SceneFolderTest, WhatCannotBeReadIsReportedAndStays) {
    ASSERT_TRUE(folder_.write("day", "1"));
    ASSERT_TRUE(folder_.write("large", std::string(2'000, 'x')));
    fs::create_directory(path_ / "folder.json");
    const SceneFolder::Contents contents = folder_.read(1'000);
    ASSERT_EQ(contents.files.size(), 1U);
    EXPECT_EQ(contents.files[0].name, "day");
    EXPECT_EQ(contents.errors.size(), 2U);
    EXPECT_TRUE(fs::exists(path_ / "large.json"));
}

TEST_F(SceneFolderTest, ADamagedOneIsKeptUnderAFreeName) {
    ASSERT_TRUE(folder_.write("day", "1"));
    write_text(path_ / "day.json.kept-1", "older");
    const auto kept = folder_.keep("day");
    ASSERT_TRUE(kept) << kept.error().sentence;
    EXPECT_EQ(*kept, (path_ / "day.json.kept-2").string());
    EXPECT_EQ(read_text(*kept), "1");
    EXPECT_TRUE(names().empty());
}

TEST_F(SceneFolderTest, AFolderThatCannotBeWrittenIsAnError) {
    write_text(path_, "a file");
    EXPECT_EQ(folder_.write("day", "1").error().code, ErrorCode::unavailable);
    EXPECT_FALSE(folder_.read(kMost).errors.empty());
}

}  // namespace
}  // namespace rta::store
