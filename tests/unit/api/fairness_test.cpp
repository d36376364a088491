// SPDX-License-Identifier: MIT
#include "api/fairness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <new>
#include <optional>
#include <string>

namespace rta::api {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};
constexpr std::size_t kBytes = 100;

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
    RoomQueue room{&RoomAccounts::plans};
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
    room.wait(a, kBytes);
    EXPECT_FALSE(room.empty());
    EXPECT_FALSE(room.may_ask(*b));
    EXPECT_FALSE(room.may_ask(*a)) << "not before its turn";
}

TEST_F(RoomQueueTest, ResumesInTheOrderOfArrivalAndEachOnce) {
    for (const auto& waiter : {b, a, b, c}) room.wait(waiter, kBytes);
    a->on_resume = [&] {
        EXPECT_TRUE(room.may_ask(*a));
        EXPECT_FALSE(room.may_ask(*c));
    };
    room.retry(kStart);
    EXPECT_EQ(take_log(), "bac");
    EXPECT_TRUE(room.empty());
}

TEST_F(RoomQueueTest, ASmallRequestGoesBeforeLargeOnesThatCameEarlier) {
    room.wait(a, 2'000);
    room.wait(b, 2'000);
    room.wait(c, 1);
    a->on_resume = [&] { room.wait(a, 2'000); };
    room.retry(kStart);
    EXPECT_EQ(take_log(), "ca") << "then there is no more room";
    room.wait(c, 1);
    a->on_resume = nullptr;
    room.retry(kStart);
    EXPECT_EQ(take_log(), "cab");
}

TEST_F(RoomQueueTest, ALargeRequestWaitsForSmallOnesOfItsSizeAtMost) {
    const auto ask_again = [&](const std::shared_ptr<FakeWaiter>& waiter, std::size_t bytes) {
        waiter->on_resume = [&, waiter, bytes] {
            room.took_room(*waiter);
            room.wait(waiter, bytes);
        };
        room.wait(waiter, bytes);
    };
    ask_again(a, 300);
    ask_again(b, 300);
    ask_again(c, 100);
    std::string order;
    while (order.size() < 50) {
        room.retry(kStart);
        order += take_log();
    }
    EXPECT_EQ(order.substr(0, 5), "ccabc");
    for (const char large : {'a', 'b'})
        EXPECT_NEAR(static_cast<double>(std::ranges::count(order, large)), 10.0, 1.0)
            << order << ": a fifth of the turns";
}

TEST_F(RoomQueueTest, StopsAtTheFirstRefusalAndKeepsThatOneFirst) {
    room.wait(a, kBytes);
    room.wait(b, kBytes);
    a->on_resume = [&] { room.wait(a, kBytes); };
    room.retry(kStart);
    EXPECT_EQ(take_log(), "a");
    a->on_resume = nullptr;
    room.retry(kStart);
    EXPECT_EQ(take_log(), "ab");
}

TEST_F(RoomQueueTest, ASecondRequestWaitsBehindTheOthers) {
    room.wait(a, kBytes);
    room.wait(b, kBytes);
    a->on_resume = [&] {
        room.took_room(*a);
        EXPECT_FALSE(room.may_ask(*a)) << "its turn is used";
        room.wait(a, kBytes);
    };
    room.retry(kStart);
    EXPECT_EQ(take_log(), "ab");
    a->on_resume = nullptr;
    room.retry(kStart);
    EXPECT_EQ(take_log(), "a");
}

TEST_F(RoomQueueTest, ExpiresWithoutATurn) {
    room.wait(a, kBytes);
    room.wait(b, kBytes);
    a->on_resume = [&] { room.wait(a, kBytes); };
    b->deadline = kStart + 10ms;
    room.retry(kStart + 9ms);
    EXPECT_EQ(take_log(), "a");
    room.retry(kStart + 10ms);
    EXPECT_EQ(take_log(), "Ba");
}

TEST_F(RoomQueueTest, SkipsWaitersThatAreGone) {
    auto gone = waiter('x');
    room.wait(gone, kBytes);
    room.wait(a, kBytes);
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
