// SPDX-License-Identifier: MIT
#include "net/log_limiter.h"

#include <gtest/gtest.h>

namespace rta::net {
namespace {

TEST(LogLimiter, GivesALineOnceInAWhileAndCountsTheRest) {
    LogLimiter log{std::chrono::seconds{1}};
    const LogLimiter::TimePoint start{std::chrono::hours{1}};
    EXPECT_EQ(log.due(start), std::optional<std::uint64_t>{0});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(log.due(start + std::chrono::milliseconds{999}), std::nullopt);
    EXPECT_EQ(log.due(start + std::chrono::seconds{1}), std::optional<std::uint64_t>{5});
    EXPECT_EQ(log.due(start + std::chrono::seconds{9}), std::optional<std::uint64_t>{0});
}

}  // namespace
}  // namespace rta::net
