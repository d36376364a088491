// SPDX-License-Identifier: MIT
#include "os/file_lock.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "os/file.h"
#include "support/temporary.h"

namespace rta::os {
namespace {

using namespace std::chrono_literals;

TEST(FileLock, BelongsToOneDescriptor) {
    const test::TemporaryDirectory directory;
    std::optional<UniqueFd> owner{*lock_folder(directory.path())};
    const UniqueFd other = *open_folder(directory.path());
    EXPECT_EQ(try_lock(other.get()).error(), std::errc::operation_would_block);
    EXPECT_EQ(lock_folder(directory.path(), 20ms).error(), std::errc::operation_would_block);
    owner.reset();
    EXPECT_TRUE(try_lock(other.get()));
}

TEST(FileLock, IsRetriedUntilTheTimeout) {
    const test::TemporaryDirectory directory;
    std::optional<UniqueFd> owner{*lock_folder(directory.path())};
    std::thread unlock{[&] {
        std::this_thread::sleep_for(30ms);
        owner.reset();
    }};
    EXPECT_TRUE(lock_folder(directory.path(), 60s));
    unlock.join();
}

TEST(FileLock, ReportsAMissingFolder) {
    const test::TemporaryDirectory directory;
    EXPECT_EQ(lock_folder(directory / "missing").error(), std::errc::no_such_file_or_directory);
}

}  // namespace
}  // namespace rta::os
