// SPDX-License-Identifier: MIT
#include "store/state_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "document/document_size.h"
#include "support/temporary.h"

namespace rta::store {
namespace {

namespace fs = std::filesystem;
using test::read_text;
using test::TemporaryDirectory;
using test::write_text;

class StateFolderTest : public testing::Test {
 protected:
    static mode_t mode_of(const fs::path& path) {
        struct stat status{};
        EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
        return status.st_mode & 07777U;
    }
    [[nodiscard]] std::set<std::string> names() const {
        std::set<std::string> found;
        for (const auto& entry : fs::directory_iterator{path_}) found.insert(entry.path().filename());
        return found;
    }

    TemporaryDirectory directory_;
    fs::path path_ = directory_ / "state";
    fs::path graph_ = path_ / "graph.json";
    StateFolder folder_{path_};
};

TEST_F(StateFolderTest, IsCreatedForItsUserOnly) {
    ASSERT_TRUE(folder_.open());
    EXPECT_EQ(mode_of(path_), 0700U);
    EXPECT_EQ(folder_.read_graph().value(), std::nullopt);
    ASSERT_TRUE(folder_.write_graph("one\n"));
    EXPECT_EQ(mode_of(graph_), 0600U);
    EXPECT_EQ(names(), (std::set<std::string>{"graph.json", "lock"}));
}

TEST_F(StateFolderTest, GraphIsReplacedAtomically) {
    ASSERT_EQ(folder_.write_graph("a longer text\n").value(), std::nullopt);
    const fs::path other = directory_ / "seen";
    fs::create_hard_link(graph_, other);
    ASSERT_EQ(folder_.write_graph("short\n").value(), std::nullopt);
    EXPECT_EQ(folder_.read_graph().value(), "short\n");
    EXPECT_EQ(read_text(other), "a longer text\n") << "a reader that has the old file open still sees all of it";
}

TEST_F(StateFolderTest, ASecondDaemonIsRefused) {
    ASSERT_TRUE(folder_.open());
    StateFolder second{path_};
    const auto refused = second.open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::already_exists);
    EXPECT_NE(refused.error().sentence.find(path_.string()), std::string::npos) << refused.error().sentence;
    EXPECT_TRUE(folder_.write_graph("mine\n")) << "the first is not affected";
}

TEST_F(StateFolderTest, DestroyingTheOwnerReleasesTheLock) {
    {
        StateFolder first{path_};
        ASSERT_TRUE(first.open());
    }
    EXPECT_TRUE(folder_.open());
}

TEST_F(StateFolderTest, APartlyWrittenFileIsRemoved) {
    fs::create_directory(path_);
    write_text(path_ / "graph.json.new", "{ \"nodes\": [");
    write_text(graph_, "whole\n");
    ASSERT_TRUE(folder_.open());
    EXPECT_EQ(names(), (std::set<std::string>{"graph.json", "lock"}));
    EXPECT_EQ(folder_.read_graph().value(), "whole\n");
}

TEST_F(StateFolderTest, AForeignFileIsRenamedToAFreeName) {
    ASSERT_TRUE(folder_.write_graph("mine\n"));
    fs::remove(graph_);
    write_text(graph_, "somebody's\n");
    EXPECT_EQ(folder_.write_graph("mine again\n").value(), path_ / "graph.json.kept-1");
    fs::remove(graph_);
    fs::create_directory(graph_);
    EXPECT_EQ(folder_.write_graph("and again\n").value(), path_ / "graph.json.kept-2");
    EXPECT_EQ(read_text(graph_), "and again\n");
    EXPECT_EQ(read_text(path_ / "graph.json.kept-1"), "somebody's\n");
    EXPECT_TRUE(fs::is_directory(path_ / "graph.json.kept-2"));
}

TEST_F(StateFolderTest, AFileThatWasReadIsOurs) {
    fs::create_directory(path_);
    write_text(graph_, "restored\n");
    ASSERT_TRUE(folder_.open());
    EXPECT_EQ(folder_.read_graph().value(), "restored\n");
    EXPECT_EQ(folder_.write_graph("next\n").value(), std::nullopt);
    EXPECT_EQ(folder_.rename_graph().value(), path_ / "graph.json.kept-1");
    EXPECT_FALSE(fs::exists(graph_));
}

TEST_F(StateFolderTest, AnUnreadableGraphIsNamedInTheError) {
    ASSERT_TRUE(folder_.open());
    const auto expect_refused = [&](const char* what) {
        const auto read = folder_.read_graph();
        ASSERT_FALSE(read) << what;
        EXPECT_NE(read.error().sentence.find(graph_.string()), std::string::npos) << read.error().sentence;
        EXPECT_NE(read.error().sentence.find(what), std::string::npos) << read.error().sentence;
        ASSERT_TRUE(folder_.rename_graph());
    };
    fs::create_directory(graph_);
    expect_refused("not a regular file");
    ASSERT_EQ(::mkfifo(graph_.c_str(), 0600), 0);
    expect_refused("not a regular file");
    write_text(graph_, "");
    fs::resize_file(graph_, kLongestDocument + 1);
    expect_refused("16 MiB");
    fs::create_symlink("nowhere", graph_);
    expect_refused("No such file");
    fs::create_symlink("graph.json", graph_);
    expect_refused("not a regular file");
    EXPECT_EQ(folder_.read_graph().value(), std::nullopt);
}

TEST_F(StateFolderTest, AMissingFolderIsCreatedAgain) {
    ASSERT_TRUE(folder_.write_graph("one\n"));
    fs::remove_all(path_);
    ASSERT_TRUE(folder_.write_graph("two\n"));
    EXPECT_EQ(read_text(graph_), "two\n");
    fs::rename(path_, directory_ / "moved");
    ASSERT_TRUE(folder_.write_graph("three\n"));
    EXPECT_EQ(read_text(graph_), "three\n");
    EXPECT_EQ(read_text(directory_ / "moved" / "graph.json"), "two\n");
}

TEST_F(StateFolderTest, ErrorsNameThePathAndLeaveNothingBehind) {
    StateFolder nowhere{directory_ / "no/such"};
    const auto unmade = nowhere.open();
    ASSERT_FALSE(unmade);
    EXPECT_NE(unmade.error().sentence.find("no/such"), std::string::npos) << unmade.error().sentence;
    EXPECT_EQ(nowhere.read_graph().value(), std::nullopt);

    write_text(directory_ / "file", "x");
    StateFolder file{directory_ / "file"};
    ASSERT_FALSE(file.open());

    ASSERT_TRUE(folder_.write_graph("old\n"));
    fs::create_directory(path_ / "graph.json.new");
    const auto unwritten = folder_.write_graph("new\n");
    ASSERT_FALSE(unwritten);
    EXPECT_NE(unwritten.error().sentence.find("graph.json.new"), std::string::npos) << unwritten.error().sentence;
    EXPECT_EQ(read_text(graph_), "old\n");
}

}  // namespace
}  // namespace rta::store
