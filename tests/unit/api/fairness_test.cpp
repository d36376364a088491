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
constexpr std::size_t kSize = 100;
bool never() { return false; }

/// Appends its name to the log when it is resumed.
class FakeWaiter final : public Waiter {
 public:
    FakeWaiter(char name, std::string& log) : name_{name}, log_{log} {}

    void resume() override {
        log_ += name_;
        if (on_resume) on_resume();
    }
    void expire(TimePoint now) override {
        if (!deadline || now < *deadline) return;
        log_ += static_cast<char>(name_ - 'a' + 'A');
        if (on_expire) on_expire();
    }

    std::function<void()> on_resume;
    std::function<void()> on_expire;  ///< the client may queue again with its next request
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
    EXPECT_TRUE(room.may_ask(*a, kSize));
    room.wait(a, kSize);
    EXPECT_FALSE(room.empty());
    EXPECT_FALSE(room.may_ask(*b, kSize));
    EXPECT_FALSE(room.may_ask(*a, kSize)) << "not before its turn";
}

TEST_F(RoomQueueTest, ResumesInTheOrderOfArrivalAndEachOnce) {
    for (const auto& waiter : {b, a, b, c}) room.wait(waiter, kSize);
    a->on_resume = [&] {
        EXPECT_TRUE(room.may_ask(*a, kSize));
        EXPECT_FALSE(room.may_ask(*c, kSize));
    };
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "bac");
    EXPECT_TRUE(room.empty());
}

TEST_F(RoomQueueTest, ASmallRequestGoesBeforeLargeOnesThatCameEarlier) {
    room.wait(a, 2'000);
    room.wait(b, 2'000);
    room.wait(c, 1);
    a->on_resume = [&] { room.wait(a, 2'000); };
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "ca") << "then the engine is full";
    room.wait(c, 1);
    a->on_resume = nullptr;
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "cab");
}

TEST_F(RoomQueueTest, ALargeRequestWaitsForSmallOnesOfItsSizeAtMost) {
    const auto ask_again = [&](const std::shared_ptr<FakeWaiter>& waiter, std::size_t size) {
        waiter->on_resume = [&, self = std::weak_ptr{waiter}, size] {
            room.took_room(*self.lock());
            room.wait(self.lock(), size);
        };
        room.wait(waiter, size);
    };
    ask_again(a, 300);
    ask_again(b, 300);
    ask_again(c, 100);
    std::string order;
    while (order.size() < 50) {
        room.retry(kStart, never);
        order += take_log();
    }
    EXPECT_EQ(order.substr(0, 5), "ccabc");
    for (const char large : {'a', 'b'})
        EXPECT_NEAR(static_cast<double>(std::ranges::count(order, large)), 10.0, 1.0)
            << order << ": a fifth of the turns";
}

TEST_F(RoomQueueTest, StopsAtTheFirstRefusalAndKeepsThatOneFirst) {
    room.wait(a, kSize);
    room.wait(b, kSize);
    a->on_resume = [&] { room.wait(a, kSize); };
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "a");
    a->on_resume = nullptr;
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "ab");
}

TEST_F(RoomQueueTest, ASecondRequestWaitsBehindTheOthers) {
    room.wait(a, kSize);
    room.wait(b, kSize);
    a->on_resume = [&] {
        room.took_room(*a);
        EXPECT_FALSE(room.may_ask(*a, kSize)) << "its turn is used";
        room.wait(a, kSize);
    };
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "ab");
    a->on_resume = nullptr;
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "a");
}

TEST_F(RoomQueueTest, ExpiresWithoutATurn) {
    room.wait(a, kSize);
    room.wait(b, kSize);
    a->on_resume = [&] { room.wait(a, kSize); };
    b->deadline = kStart + 10ms;
    room.retry(kStart + 9ms, never);
    EXPECT_EQ(take_log(), "a");
    room.retry(kStart + 10ms, never);
    EXPECT_EQ(take_log(), "Ba");
}

TEST_F(RoomQueueTest, SkipsWaitersThatAreGone) {
    auto gone = waiter('x');
    room.wait(gone, kSize);
    room.wait(a, kSize);
    gone.reset();
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "a");
}

TEST_F(RoomQueueTest, WaitersThatAreGoneDoNotCollect) {
    room.wait(a, kSize);
    room.wait(waiter('x'), 1'000'000);
    a->on_resume = [&] { room.wait(a, kSize); };  // there is no room
    room.retry(kStart, never);
    a->on_resume = [&] {
        room.took_room(*a);
        EXPECT_TRUE(room.empty()) << "a client that has left keeps its place";
    };
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "aa");
}

TEST_F(RoomQueueTest, SmallRequestsOfManyClientsCount) {
    std::vector<std::shared_ptr<FakeWaiter>> many;
    for (int i = 0; i < 300; ++i) {
        const auto& one = many.emplace_back(waiter('m'));
        one->on_resume = [this, self = one.get(), &one = many, i] {
            room.took_room(*self);
            room.wait(one[static_cast<std::size_t>(i)], kSize);
        };
        room.wait(one, kSize);
    }
    for (int round = 0; round < 100; ++round) room.retry(kStart, never);
    take_log();
    std::string order;
    for (int round = 0; round < 10; ++round) {  // clients that connect again must not go before those that stay
        const auto next = waiter('n');
        next->on_resume = [&] { room.took_room(*next); };
        room.wait(next, 10 * kSize);
        room.retry(kStart, never);
        order += take_log();
    }
    EXPECT_LE(std::ranges::count(order, 'n'), 1) << "each waits for about ten requests of each of the others";
}

TEST_F(RoomQueueTest, ALargeRequestDoesNotGetThePlaceOfASmallOneThatHasExpired) {
    room.wait(a, 1'000);
    room.wait(b, 1);
    b->deadline = kStart;
    b->on_expire = [&] { room.wait(b, 2'000); };
    for (const auto& waiter : {a, b}) waiter->on_resume = [&, self = waiter.get()] { room.took_room(*self); };
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "Bab");
    EXPECT_EQ(b->room().plans, 2'000U);
}

TEST_F(RoomQueueTest, ALargeRequestDoesNotGetTheTurnOfASmallOneThatWasRefused) {
    room.wait(a, 1'000);
    room.wait(b, 1);
    b->on_resume = [&] {
        EXPECT_TRUE(room.may_ask(*b, 1));  // and is refused
        EXPECT_FALSE(room.may_ask(*b, 2'000));
        room.wait(b, 2'000);
        b->on_resume = [&] { room.took_room(*b); };
    };
    a->on_resume = [&] { room.took_room(*a); };
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "ba");
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "b");
}

TEST_F(RoomQueueTest, WhoLeavesItsTurnIsNotCharged) {
    room.wait(a, kSize);
    room.wait(b, 2 * kSize);
    a->on_resume = [&] { room.leave_turn(*a); };
    b->on_resume = [&] { room.wait(b, 2 * kSize); };
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "ab");
    room.wait(a, kSize);
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "ab") << "a still goes first";
    EXPECT_EQ(a->room().plans, 0U);
}

TEST_F(RoomQueueTest, TheRestWaitsForTheNextTimeWhenTheTimeIsOver) {
    for (const auto& waiter : {a, b, c}) room.wait(waiter, kSize);
    int left = 2;
    room.retry(kStart, [&] { return --left == 0; });
    EXPECT_EQ(take_log(), "ab");
    EXPECT_FALSE(room.empty());
    room.retry(kStart, never);
    EXPECT_EQ(take_log(), "c");
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

TEST_F(ProgressQueueTest, TheRestIsResumedWithoutFurtherProgress) {
    for (const auto& waiter : {a, b, c}) ports.wait(waiter);
    a->on_resume = [&] { ports.wait(a); };
    const auto at_once = [] { return true; };
    ports.retry(kStart, 1, at_once);
    EXPECT_EQ(take_log(), "a");
    ports.retry(kStart, 1, at_once);
    EXPECT_EQ(take_log(), "b");
    ports.retry(kStart, 1, never);
    EXPECT_EQ(take_log(), "c") << "a waits for progress";
    ports.retry(kStart, 2, never);
    EXPECT_EQ(take_log(), "a");
}

TEST_F(ProgressQueueTest, ResumesAllInOrderOnceSomethingHasStarted) {
    for (const auto& waiter : {b, a, b}) ports.wait(waiter);
    ports.retry(kStart, 0, never);
    EXPECT_EQ(take_log(), "") << "nothing has started";
    b->on_resume = [&] { ports.wait(b); };  // its ports wait again
    ports.retry(kStart, 1, never);
    EXPECT_EQ(take_log(), "ba");
    ports.retry(kStart, 1, never);
    EXPECT_EQ(take_log(), "");
    b->on_resume = nullptr;
    ports.retry(kStart, 2, never);
    EXPECT_EQ(take_log(), "b");
    EXPECT_TRUE(ports.empty());
}

TEST_F(ProgressQueueTest, LetsThoseGiveUpWhoseTimeIsOver) {
    a->deadline = kStart;
    ports.wait(a);
    ports.retry(kStart, 0, never);
    EXPECT_EQ(take_log(), "A");
}

}  // namespace
}  // namespace rta::api
