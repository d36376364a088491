// SPDX-License-Identifier: MIT
#include "os/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <utility>

namespace rta::os {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }
UniqueFd open_null() { return UniqueFd{::open("/dev/null", O_RDONLY | O_CLOEXEC)}; }

TEST(UniqueFd, ClosesWhatItOwns) {
    int fd = -1;
    {
        const UniqueFd owner = open_null();
        ASSERT_TRUE(owner);
        fd = owner.get();
        EXPECT_TRUE(is_open(fd));
    }
    EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, PassesOwnershipOn) {
    UniqueFd first = open_null();
    const int fd = first.get();
    UniqueFd second{std::move(first)};
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): the moved-from state is what is tested
    EXPECT_EQ(second.get(), fd);

    UniqueFd third = open_null();
    const int replaced = third.get();
    third = std::move(second);
    EXPECT_FALSE(is_open(replaced));
    EXPECT_EQ(third.release(), fd);
    EXPECT_FALSE(third);
    EXPECT_TRUE(is_open(fd));
    ::close(fd);
}

TEST(UniqueFd, KeepsErrno) {
    UniqueFd owner = open_null();
    errno = ENOENT;
    owner.reset();
    EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace rta::os
