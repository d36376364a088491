// SPDX-License-Identifier: MIT
#include "api/fairness.h"

#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <optional>
#include <string>

namespace rta::api {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

/// Appends its name to the log when it is resumed.
class FakeWaiter final : public Waiter {
 public:
    FakeWaiter(char name, std::string& log) : name_{name}, log_{log} {}

    void resume() override {
        log_ += name_;
        if (on_resume) on_resume();
    }
    void expire(TimePoint now) override {
        if (deadline && now >= *deadline) log_ += static_cast<char>(name_ - 'a' + 'A');
    }

    std::function<void()> on_resume;
    std::optional<TimePoint> deadline;

 private:
    char name_;
    std::string& log_;
};

struct Fairness : testing::Test {
    [[nodiscard]] std::shared_ptr<FakeWaiter> waiter(char name) { return std::make_shared<FakeWaiter>(name, log); }
    std::string take_log() { return std::exchange(log, {}); }

    std::string log;
    RoomQueue room;
    const std::shared_ptr<FakeWaiter> a = waiter('a');
    const std::shared_ptr<FakeWaiter> b = waiter('b');
    const std::shared_ptr<FakeWaiter> c = waiter('c');
};

struct RoomQueueTest : Fairness {};
struct ProgressQueueTest : Fairness {
    ProgressQueue ports;
};
TEST_F(RoomQueueTest, LetsEveryoneAskWhileNobodyWaits) {
    EXPECT_TRUE(room.empty());
    EXPECT_TRUE(room.may_ask(*a));
    room.wait(a);
    EXPECT_FALSE(room.empty());
    EXPECT_FALSE(room.may_ask(*b));
    EXPECT_FALSE(room.may_ask(*a)) << "not before its turn";
}

TEST_F(RoomQueueTest, ResumesInTheOrderOfArrivalAndEachOnce) {
    for (const auto& waiter : {b, a, b, c}) room.wait(waiter);
    a->on_resume = [&] {
        EXPECT_TRUE(room.may_ask(*a));
        EXPECT_FALSE(room.may_ask(*c));
    };
    room.retry(kStart);
    EXPECT_EQ(take_log(), "bac");
    EXPECT_TRUE(room.empty());
}

TEST_F(RoomQueueTest, WhoHasUsedLeastAsksFirst) {
    a->account().used = 3us;
    b->account().used = 2us;
    for (const auto& waiter : {a, b, c}) room.wait(waiter);
    b->on_resume = [&] { room.wait(b); };
    room.retry(kStart);
    EXPECT_EQ(take_log(), "cb") << "there is no more room";
    room.wait(c);
    b->on_resume = nullptr;
    room.retry(kStart);
    EXPECT_EQ(take_log(), "cba");
}

TEST_F(RoomQueueTest, StopsAtTheFirstRefusalAndKeepsThatOneFirst) {
    room.wait(a);
    room.wait(b);
    a->on_resume = [&] { room.wait(a); };
    room.retry(kStart);
    EXPECT_EQ(take_log(), "a");
    a->on_resume = nullptr;
    room.retry(kStart);
    EXPECT_EQ(take_log(), "ab");
}

TEST_F(RoomQueueTest, ASecondRequestWaitsBehindTheOthers) {
    room.wait(a);
    room.wait(b);
    a->on_resume = [&] {
        room.took_room(*a);
        EXPECT_FALSE(room.may_ask(*a)) << "its turn is used";
        room.wait(a);
    };
    room.retry(kStart);
    EXPECT_EQ(take_log(), "ab");
    a->on_resume = nullptr;
    room.retry(kStart);
    EXPECT_EQ(take_log(), "a");
}

TEST_F(RoomQueueTest, ExpiresWithoutATurn) {
    room.wait(a);
    room.wait(b);
    a->on_resume = [&] { room.wait(a); };
    b->deadline = kStart + 10ms;
    room.retry(kStart + 9ms);
    EXPECT_EQ(take_log(), "a");
    room.retry(kStart + 10ms);
    EXPECT_EQ(take_log(), "Ba");
}

TEST_F(RoomQueueTest, SkipsWaitersThatAreGone) {
    auto gone = waiter('x');
    room.wait(gone);
    room.wait(a);
    gone.reset();
    room.retry(kStart);
    EXPECT_EQ(take_log(), "a");
}

TEST(NonReentrant, RefusesToRunInsideItself) {
    NonReentrant loop;
    int runs = 0;
    EXPECT_TRUE(loop.run([&] {
        ++runs;
        EXPECT_FALSE(loop.run([&] { ++runs; }));
    }));
    EXPECT_TRUE(loop.run([&] { ++runs; }));
    EXPECT_EQ(runs, 2);
}

TEST(NonReentrant, RunsAgainAfterAnException) {
    NonReentrant loop;
    EXPECT_THROW(loop.run([] { throw std::bad_alloc{}; }), std::bad_alloc);
    EXPECT_TRUE(loop.run([] {}));
}

TEST_F(ProgressQueueTest, ResumesAllInOrderOnceSomethingHasStarted) {
    for (const auto& waiter : {b, a, b}) ports.wait(waiter);
    ports.retry(kStart, 0);
    EXPECT_EQ(take_log(), "") << "nothing has started";
    b->on_resume = [&] { ports.wait(b); };  // its ports wait again
    ports.retry(kStart, 1);
    EXPECT_EQ(take_log(), "ba");
    ports.retry(kStart, 1);
    EXPECT_EQ(take_log(), "");
    b->on_resume = nullptr;
    ports.retry(kStart, 2);
    EXPECT_EQ(take_log(), "b");
    EXPECT_TRUE(ports.empty());
}

TEST_F(ProgressQueueTest, LetsThoseGiveUpWhoseTimeIsOver) {
    a->deadline = kStart;
    ports.wait(a);
    ports.retry(kStart, 0);
    EXPECT_EQ(take_log(), "A");
}

}  // namespace
}  // namespace rta::api
