// SPDX-License-Identifier: MIT
// Which requests are answered when their transactions take effect, and which are late.
#include "api/awaited_starts.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace rta::api::test {
namespace {

using namespace std::chrono_literals;

class AwaitedStartsTest : public testing::Test {
 protected:
    void add(std::uint64_t revision, std::chrono::milliseconds deadline) {
        waits_[revision] = starts_.add({.revision = revision, .begin = now_, .deadline = now_ + deadline},
                                       [this, revision](const AwaitedStarts::Outcome& outcome) {
                                           waits_.erase(revision);
                                           note(revision, outcome);
                                       });
    }
    /// Advances the time and renders the blocks of that time.
    void play(std::chrono::milliseconds time) {
        now_ += time;
        last_block_ = now_;
        starts_.expire(now_, last_block_);
    }
    /// Advances the time without rendering.
    void stand_still(std::chrono::milliseconds time) {
        now_ += time;
        starts_.expire(now_, last_block_);
    }
    void note(std::uint64_t revision, const AwaitedStarts::Outcome& outcome) {
        const std::string end = outcome.frame                                    ? std::to_string(*outcome.frame)
                                : outcome.late == AwaitedStarts::Late::no_blocks ? "no blocks"
                                                                                 : "deadline";
        answers_.push_back(std::to_string(revision) + ": " + end);
    }

    AwaitedStarts starts_;
    std::map<std::uint64_t, AwaitedStarts::Wait> waits_;
    TimePoint now_{1h};
    TimePoint last_block_{};
    std::vector<std::string> answers_;
};

using Answers = std::vector<std::string>;

TEST_F(AwaitedStartsTest, TransactionsBeginInAnyOrder) {
    add(1, 10s);
    add(2, 10s);
    add(3, 10s);
    starts_.heard(2, 640);
    EXPECT_EQ(answers_, (Answers{"2: 640"}));
    starts_.heard(3, 1280);
    starts_.heard(1, 1280);
    EXPECT_EQ(answers_, (Answers{"2: 640", "3: 1280", "1: 1280"}));
    EXPECT_TRUE(starts_.empty());
}

TEST_F(AwaitedStartsTest, ARevisionThatNoRequestAwaitsIsIgnored) {
    add(2, 10s);
    starts_.heard(1, 64);
    starts_.heard(3, 64);
    EXPECT_EQ(answers_, Answers{});
    starts_.heard(2, 64);
    starts_.heard(2, 128);
    EXPECT_EQ(answers_, (Answers{"2: 64"})) << "answered once";
}

TEST_F(AwaitedStartsTest, WhileBlocksAreRenderedOnlyItsOwnDeadlineEndsAWait) {
    add(1, 3s);
    add(2, 1s);
    for (int i = 0; i < 9; ++i) play(100ms);
    EXPECT_EQ(answers_, Answers{});
    play(99ms);
    EXPECT_EQ(answers_, Answers{});
    play(1ms);
    EXPECT_EQ(answers_, (Answers{"2: deadline"}));
    for (int i = 0; i < 20; ++i) play(100ms);
    EXPECT_EQ(answers_, (Answers{"2: deadline", "1: deadline"}));
    starts_.heard(1, 64);
    EXPECT_EQ(answers_.size(), 2U) << "a late start is not a second answer";
}

TEST_F(AwaitedStartsTest, WithoutABlockAWaitEndsAfter500Ms) {
    add(1, 60s);
    play(400ms);
    stand_still(400ms);
    add(2, 60s);
    stand_still(99ms);
    EXPECT_EQ(answers_, Answers{});
    stand_still(1ms);
    EXPECT_EQ(answers_, (Answers{"1: no blocks"})) << "500 ms after the last block";
    stand_still(399ms);
    EXPECT_EQ(answers_.size(), 1U) << "the second has waited for 499 ms";
    stand_still(1ms);
    EXPECT_EQ(answers_, (Answers{"1: no blocks", "2: no blocks"}));
}

TEST_F(AwaitedStartsTest, WithoutABlockTheCauseIsNamedAlsoAtTheDeadline) {
    add(1, 500ms);
    add(2, 499ms);
    stand_still(500ms);
    EXPECT_EQ(answers_, (Answers{"1: no blocks", "2: no blocks"}));
}

TEST_F(AwaitedStartsTest, AnAnswerMayCauseTheNextRequest) {
    auto first = starts_.add({.revision = 1, .begin = now_, .deadline = now_ + 100ms},
                             [this](const AwaitedStarts::Outcome& outcome) {
                                 note(1, outcome);
                                 add(2, 100ms);
                             });
    play(100ms);
    EXPECT_EQ(answers_, (Answers{"1: deadline"}));
    EXPECT_EQ(starts_.size(), 1U);
    play(100ms);
    EXPECT_EQ(answers_, (Answers{"1: deadline", "2: deadline"}));
}

TEST_F(AwaitedStartsTest, ARequestThatIsDroppedLeavesNothing) {
    add(1, 1s);
    add(2, 2s);
    add(3, 3s);
    waits_.erase(2);
    EXPECT_EQ(starts_.size(), 2U);
    starts_.heard(2, 64);
    waits_.erase(1);
    waits_.at(3) = {};
    EXPECT_TRUE(starts_.empty());
    for (int i = 0; i < 10; ++i) play(1s);
    stand_still(1s);
    EXPECT_EQ(answers_, Answers{});
}

TEST_F(AwaitedStartsTest, AnAnswerMayDropOtherRequests) {
    auto first = starts_.add({.revision = 1, .begin = now_, .deadline = now_ + 60s},
                             [this](const AwaitedStarts::Outcome& outcome) {
                                 note(1, outcome);
                                 waits_.clear();
                             });
    add(2, 60s);
    add(3, 1ms);
    stand_still(500ms);
    EXPECT_EQ(answers_, (Answers{"1: no blocks"}));
    EXPECT_TRUE(starts_.empty());
}

}  // namespace
}  // namespace rta::api::test
