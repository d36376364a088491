// SPDX-License-Identifier: MIT
// Attacks on the confinement to a folder: as the user who runs the tests, and, if that is root, as an unprivileged one.
#include "os/beneath.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "os/file.h"
#include "support/temporary.h"

namespace rta::os {
namespace {

namespace fs = std::filesystem;

/// A folder `media`, and next to it a file and a folder that must not be reached.
class Beneath : public testing::TestWithParam<Resolution> {
 protected:
    Beneath() {
        fs::create_directories(directory_ / "media/inside/deep");
        fs::create_directories(directory_ / "outside");
        test::write_text(directory_ / "media/good.wav", "good");
        test::write_text(directory_ / "media/inside/good.wav", "good");
        test::write_text(directory_ / "media/inside/deep/good.wav", "good");
        test::write_text(directory_ / "secret.wav", "secret");
        test::write_text(directory_ / "outside/good.wav", "secret");
        // An unprivileged child must be able to enter, and to attack.
        for (const char* name : {".", "media", "media/inside", "media/inside/deep", "outside"})
            fs::permissions(directory_ / name, fs::perms::all);
        media_ = std::move(open_folder((directory_ / "media").string()).value());
    }

    [[nodiscard]] Result<UniqueFd> open(const std::string& path, int flags = O_RDONLY) const {
        return open_beneath(media_.get(), path, flags, 0600, GetParam());
    }
    [[nodiscard]] std::string contents(const std::string& path) const {
        const auto file = open(path);
        return file ? read_to_end(file->get(), 100).value_or("unreadable") : "refused: " + file.error().message();
    }
    void expect_refused(const std::string& path) const {
        EXPECT_FALSE(open(path)) << path;
        EXPECT_FALSE(open(path, O_RDWR | O_CREAT)) << path;
    }

    /// Every way that leads out of the folder.
    void attack() const {
        EXPECT_EQ(contents("good.wav"), "good");
        EXPECT_EQ(contents("inside/deep/good.wav"), "good");
        for (const char* path :
             {"", ".", "..", "/", "../secret.wav", "inside/../../secret.wav", "inside/../good.wav", "./good.wav",
              "inside//good.wav", "inside/", "good.wav/", "inside/.", "inside/..", "/etc/passwd", "inside"})
            expect_refused(path);
        expect_refused((directory_ / "secret.wav").string());
        expect_refused(std::string{"good.wav\0/../../secret.wav", 26});
        fs::create_symlink("../secret.wav", directory_ / "media/link_out");
        fs::create_symlink("/etc/passwd", directory_ / "media/link_absolute");
        fs::create_symlink("good.wav", directory_ / "media/link_in");
        fs::create_symlink("../outside", directory_ / "media/folder_out");
        fs::create_symlink("inside", directory_ / "media/folder_in");
        fs::create_symlink("/proc/self/root", directory_ / "media/magic");
        fs::create_symlink("nowhere", directory_ / "media/dangling");
        for (const char* path : {"link_out", "link_absolute", "link_in", "folder_out/good.wav", "folder_in/good.wav",
                                 "magic/etc/passwd", "dangling"})
            expect_refused(path);
        EXPECT_FALSE(fs::exists(directory_ / "media/nowhere"));
        ASSERT_EQ(::mkfifo((directory_ / "media/fifo").c_str(), 0600), 0);
        expect_refused("fifo");
    }

    /// A folder of the path becomes a link, and a folder again, while it is opened.
    void race() const {
        const fs::path place = directory_ / "media/inside/deep";
        const fs::path moved = directory_ / "media/moved";
        fs::create_symlink("../../outside", directory_ / "media/link");
        std::atomic<bool> attacking{true};
        std::thread attacker{[&] {
            std::error_code ignored;
            while (attacking.load()) {
                fs::rename(place, moved, ignored);
                fs::rename(directory_ / "media/link", place, ignored);
                fs::rename(place, directory_ / "media/link", ignored);
                fs::rename(moved, place, ignored);
            }
        }};
        int opened = 0;
        int refused = 0;
        for (int i = 0; i < 20'000; ++i) {
            const auto file = open("inside/deep/good.wav");
            if (!file) {
                ++refused;
                continue;
            }
            ++opened;
            if (read_to_end(file->get(), 100).value_or("") != "good") {
                ADD_FAILURE() << "read a file outside of the folder";
                break;
            }
        }
        attacking = false;
        attacker.join();
        EXPECT_GT(opened, 0);
        EXPECT_GT(refused, 0) << "the attack had no effect";
    }

    test::TemporaryDirectory directory_;
    UniqueFd media_;
};

/// Runs the function in a child, as another user if this is root.
template <class Function>
void as_unprivileged_user(const Function& function) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        constexpr uid_t kNobody = 65534;
        if (::getuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(3);
        function();
        ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

INSTANTIATE_TEST_SUITE_P(Resolutions, Beneath, testing::Values(Resolution::by_kernel, Resolution::step_by_step),
                         [](const auto& test) {
                             return test.param == Resolution::by_kernel ? "ByKernel" : "StepByStep";
                         });

TEST_P(Beneath, NoPathLeadsOut) { attack(); }
TEST_P(Beneath, NoPathLeadsOutForAnUnprivilegedUser) {
    as_unprivileged_user([this] { attack(); });
}
TEST_P(Beneath, NoRaceLeadsOut) { race(); }
TEST_P(Beneath, NoRaceLeadsOutForAnUnprivilegedUser) {
    as_unprivileged_user([this] { race(); });
}

TEST_P(Beneath, CreatesAFileOnlyInsideAndNeverReplacesOne) {
    const auto created = open("inside/new.wav", O_RDWR | O_CREAT | O_EXCL);
    ASSERT_TRUE(created) << created.error().message();
    EXPECT_TRUE(fs::exists(directory_ / "media/inside/new.wav"));
    const auto again = open("inside/new.wav", O_RDWR | O_CREAT | O_EXCL);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error(), std::errc::file_exists);
}

TEST_P(Beneath, ReportsWhyAFileIsRefused) {
    fs::create_symlink("good.wav", directory_ / "media/link");
    ASSERT_EQ(::mkfifo((directory_ / "media/fifo").c_str(), 0600), 0);
    EXPECT_EQ(open("missing.wav").error(), std::errc::no_such_file_or_directory);
    EXPECT_EQ(open("missing/good.wav").error(), std::errc::no_such_file_or_directory);
    EXPECT_EQ(open("link").error(), std::errc::too_many_symbolic_link_levels);
    EXPECT_EQ(open("fifo").error(), std::errc::not_supported);
    EXPECT_EQ(open("inside").error(), std::errc::not_supported);
    EXPECT_EQ(open("../secret.wav").error(), std::errc::invalid_argument);
}

TEST(RelativePath, OnlyPlainRelativePathsAreAccepted) {
    for (const char* good : {"a", "a.wav", "a/b", "...", "a..b", ".hidden", "a/.b"})
        EXPECT_TRUE(is_plain_relative_path(good)) << good;
    for (const char* bad : {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b"})
        EXPECT_FALSE(is_plain_relative_path(bad)) << bad;
}

}  // namespace
}  // namespace rta::os
