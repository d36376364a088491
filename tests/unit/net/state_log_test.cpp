// SPDX-License-Identifier: MIT
#include "net/state_log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rta::net {
namespace {

using std::chrono::milliseconds;

class StateLogTest : public testing::Test {
 protected:
    void set(const std::string& line, int now_ms) { log_.set(LogLevel::info, line, start_ + milliseconds{now_ms}); }
    void update(int now_ms) { log_.update(start_ + milliseconds{now_ms}); }

    std::vector<std::string> lines_;
    const StateLog::TimePoint start_{};
    StateLog log_{[this](LogLevel, std::string_view line) { lines_.emplace_back(line); }, milliseconds{1'000}};
};

using Lines = std::vector<std::string>;

TEST_F(StateLogTest, LogsTheFirstStateImmediatelyAndOnce) {
    EXPECT_EQ(log_.due(), std::nullopt);
    set("on", 0);
    set("on", 2'000);
    update(3'000);
    EXPECT_EQ(lines_, Lines{"on"});
    EXPECT_EQ(log_.due(), std::nullopt);
}

TEST_F(StateLogTest, LogsTheLatestStateAfterTheInterval) {
    set("on", 0);
    set("off", 100);
    set("on again", 200);
    EXPECT_EQ(lines_, Lines{"on"});
    EXPECT_EQ(log_.due(), start_ + milliseconds{1'000});
    update(999);
    EXPECT_EQ(lines_, Lines{"on"});
    update(1'000);
    EXPECT_EQ(lines_, (Lines{"on", "on again"}));
    EXPECT_EQ(log_.due(), std::nullopt);
}

TEST_F(StateLogTest, AStateThatHasReturnedIsNotLoggedAgain) {
    set("on", 0);
    set("off", 100);
    set("on", 200);
    EXPECT_EQ(log_.due(), std::nullopt);
    update(5'000);
    EXPECT_EQ(lines_, Lines{"on"});
}

TEST_F(StateLogTest, TheLevelIsPartOfTheState) {
    set("x", 0);
    log_.set(LogLevel::warning, "x", start_ + milliseconds{2'000});
    EXPECT_EQ(lines_, (Lines{"x", "x"}));
}

}  // namespace
}  // namespace rta::net
