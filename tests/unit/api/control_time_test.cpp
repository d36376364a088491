// SPDX-License-Identifier: MIT
#include "api/control_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api/limits.h"

namespace rta::api {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr auto kSlice = ClientLimits{}.slice;
constexpr std::size_t kLarge = ControlTime::kSmallAnswerBytes + 1;

/// Appends its name to the log when it is resumed.
class TurnWaiter final : public Waiter {
 public:
    TurnWaiter(char name, std::string& log) : name_{name}, log_{log} {}
    void resume() override {
        log_ += name_;
        if (on_resume) on_resume();
    }
    void expire(TimePoint) override {}
    std::function<void()> on_resume;

 private:
    char name_;
    std::string& log_;
};

struct ControlTimeTest : testing::Test {
    using Client = std::shared_ptr<TurnWaiter>;
    [[nodiscard]] Client client(char name) { return std::make_shared<TurnWaiter>(name, log); }
    /// The client works for this long, if it may. Returns whether it may.
    bool work(const Client& client, nanoseconds duration) {
        const ControlTime::Scope scope{time, client};
        if (!time.may_run(client)) return false;
        used += duration;
        now += duration;
        return true;
    }
    /// The client uses time, whether or not it may.
    void use(const Client& client, nanoseconds duration) {
        const ControlTime::Scope scope{time, client};
        used += duration;
        now += duration;
    }
    /// Makes the client work in each of its turns, and wait for the next.
    void keep_working(const Client& client, nanoseconds duration) {
        client->on_resume = [this, duration, self = std::weak_ptr{client}] {
            work(self.lock(), duration);
            static_cast<void>(time.may_run(self.lock()));
        };
        client->on_resume();
    }
    std::string pass() {
        time.begin_pass();
        return std::exchange(log, {});
    }

    std::string log;
    nanoseconds used{0};
    TimePoint now{1h};
    ControlTime time{[this] { return used; }, [this] { return now; }, kSlice};
    const Client light = client('l');
    const Client a = client('a');
    const Client b = client('b');
};

TEST_F(ControlTimeTest, WhoUsesLittleIsServedAtOnce) {
    for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(work(light, 1us));
        EXPECT_TRUE(work(a, 1us));
    }
    EXPECT_FALSE(time.pass_over());
}

TEST_F(ControlTimeTest, ThePassEndsWhenItsSliceIsUsed) {
    int over = 0;
    time.on_pass_over([&] { ++over; });
    EXPECT_TRUE(work(a, kSlice - 1us));
    EXPECT_EQ(over, 0);
    EXPECT_TRUE(work(b, 2us)) << "what has begun is not interrupted";
    EXPECT_EQ(over, 1);
    EXPECT_FALSE(work(a, 1us));
    EXPECT_FALSE(work(b, 1us));
    EXPECT_EQ(over, 1) << "it is reported once";
    EXPECT_EQ(pass(), "a") << "the first one: no other has waited for what a has used";
    EXPECT_EQ(pass(), "b");
    EXPECT_FALSE(time.pass_over());
    EXPECT_TRUE(work(a, 1us));
}

TEST_F(ControlTimeTest, ATurnIsOneSliceUntilTheNextPass) {
    work(a, 10ms);
    EXPECT_FALSE(work(a, 1us));
    EXPECT_EQ(pass(), "a");
    EXPECT_TRUE(work(a, kSlice / 2)) << "also after resume()";
    EXPECT_TRUE(work(a, kSlice));
    EXPECT_FALSE(work(a, 1us));
    EXPECT_EQ(pass(), "a");
    EXPECT_EQ(pass(), "") << "the turn is not kept";
    EXPECT_FALSE(time.pass_over());
}

TEST_F(ControlTimeTest, HeavyClientsTakeTurns) {
    for (const Client& heavy : {a, b}) keep_working(heavy, 20ms);
    std::string turns;
    for (int i = 0; i < 6; ++i) turns += pass();
    EXPECT_EQ(turns, "ababab");
}

TEST_F(ControlTimeTest, ALightClientWaitsForOneTurnHoweverManyAreHeavy) {
    std::vector<Client> heavy;
    for (int i = 0; i < 64; ++i) keep_working(heavy.emplace_back(client('h')), 1ms);
    for (int i = 0; i < 64; ++i) EXPECT_EQ(pass(), "h");
    EXPECT_FALSE(work(light, 30us));
    std::string turns;
    while (!turns.ends_with('l')) turns += pass();
    EXPECT_LE(turns.size(), 65U) << "a new client waits for a turn of each";
    EXPECT_TRUE(work(light, 30us));
    for (int other = 0; other < 10; ++other) EXPECT_EQ(pass(), "h");
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(work(light, 30us));
        EXPECT_EQ(pass(), "l");
        EXPECT_TRUE(work(light, 30us));
        for (int other = 0; other < 10; ++other) EXPECT_EQ(pass(), "h");
    }
}

struct ControlTimeAlternating : ControlTimeTest {
    /// Returns the time that a client gets whose turns take these times, one after another, by the time of each of 64
    /// others that use their whole slices.
    double share(const std::vector<nanoseconds>& turns) {
        std::vector<Client> heavy;
        for (int i = 0; i < 64; ++i) keep_working(heavy.emplace_back(client('h')), kSlice);
        nanoseconds got{0};
        a->on_resume = [&, next = std::size_t{0}]() mutable {
            const nanoseconds duration = turns[next++ % turns.size()];
            if (work(a, duration)) got += duration;
        };
        const auto run = [&](int passes) {  // its next request comes in the pass after its turn
            for (int i = 0; i < passes; ++i) {
                if (pass() != "a" && !a->account().waits) static_cast<void>(time.may_run(a));
            }
        };
        run(640);
        got = nanoseconds{0};
        const nanoseconds before = used;
        run(6'400);
        return static_cast<double>(got.count()) / static_cast<double>((used - before - got).count()) * 64.0;
    }
};

TEST_F(ControlTimeAlternating, LightTurnsDoNotHideHeavyOnes) {
    EXPECT_LE(share({kSlice}), 1.1);
    for (const nanoseconds longest : {nanoseconds{kSlice}, nanoseconds{500us}, nanoseconds{2ms}}) {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(longest).count();
        EXPECT_LE(share({longest}), 1.5) << us;
        EXPECT_LE(share({1us, longest}), 1.5) << us;
        EXPECT_LE(share({1us, 1us, 1us, longest}), 1.5) << us;
        EXPECT_LE(share({1us, longest, longest, longest}), 1.5) << us;
    }
}

TEST_F(ControlTimeTest, ClientsThatHaveRestedGetNoMoreThanATurnEachBeforeOthers) {
    for (int i = 0; i < 1'000; ++i) {
        use(light, 1ms);
        now += 10ms;
        pass();
    }
    std::vector<Client> rested;
    for (int i = 0; i < 64; ++i) keep_working(rested.emplace_back(client('h')), kSlice);
    EXPECT_FALSE(work(light, 30us));
    std::string turns;
    while (!turns.ends_with('l')) turns += pass();
    EXPECT_LE(turns.size(), 65U);
}

struct ControlTimeConnecting : ControlTimeTest {
    /// Serves a light client and, after each of its requests, 100 that have just connected. Of the light client, one turn
    /// in 50 takes `longest`, the others 30 us. Returns the most turns for which it waits.
    int most_turns(nanoseconds longest) {
        std::vector<Client> waiting;
        const auto connect = [&] {
            const Client next = waiting.emplace_back(client('n'));
            EXPECT_FALSE(work(next, 1us));
            next->on_resume = [this, served = std::weak_ptr{next}] { work(served.lock(), kTurn); };
        };
        use(a, 1ms);  // the pass is over
        for (int i = 0; i < 64; ++i) connect();
        int most = 0;
        for (int request = 0; request < 1'000; ++request) {
            int turns = 1;
            if (work(light, 30us)) ADD_FAILURE() << "the pass is not over";
            for (; turns < 10'000 && pass() != "l"; ++turns) connect();
            use(light, request % 50 == 1 ? longest : 30us);
            if (request > 0) most = std::max(most, turns);  // the first time, it is new itself
            for (int other = 0; other < 100; ++other) {
                connect();
                pass();
            }
            std::erase_if(waiting, [](const Client& one) { return !one->account().waits; });
        }
        return most;
    }

    static constexpr nanoseconds kTurn = 50us;
};

TEST_F(ControlTimeConnecting, ClientsThatConnectAgainAndAgainDoNotHoldUpALightOne) { EXPECT_LE(most_turns(30us), 3); }

TEST_F(ControlTimeConnecting, AnInterruptedTurnIsForgottenSoon) {
    EXPECT_LE(most_turns(1ms), ControlTime::kLongestDebt / kTurn + 10);
}

TEST_F(ControlTimeTest, TimeThatNobodyWaitsForCostsNothing) {
    use(a, 10ms);
    EXPECT_FALSE(work(b, 1us));
    EXPECT_FALSE(work(a, 1us));
    EXPECT_EQ(pass(), "b");
    use(b, 1ms);
    EXPECT_EQ(pass(), "a") << "who has waited";
    use(a, 10ms);
    EXPECT_EQ(pass(), "");
    EXPECT_FALSE(time.pass_over());
    use(light, 1ms);
    const Client fresh = client('f');
    for (const Client& both : {light, fresh}) EXPECT_FALSE(work(both, 1us));
    EXPECT_EQ(pass(), "l") << "who has come first";
}

/// A commit in a large graph is a long step, and the next request of the same client is light.
TEST_F(ControlTimeTest, WhoComesAfterARestGoesBeforeManyWhoseTurnsAreLongAndShortInTurn) {
    std::vector<Client> heavy;
    for (int i = 0; i < 64; ++i) {
        const Client& one = heavy.emplace_back(client('h'));
        one->on_resume = [this, turn = i, self = std::weak_ptr{one}]() mutable {
            work(self.lock(), ++turn % 2 == 0 ? nanoseconds{4ms} : nanoseconds{kSlice});
            static_cast<void>(time.may_run(self.lock()));
        };
        use(one, kSlice);
        one->on_resume();
    }
    int most = 0;
    for (int request = 0; request < 200; ++request) {
        for (int i = 0; i < 13; ++i) pass();
        EXPECT_FALSE(work(light, 1us));
        int turns = 1;
        for (; pass() != "l"; ++turns) ASSERT_LT(turns, 1'000);
        work(light, 30us);
        // In the first turns, it is not known yet how long they are.
        if (request >= 100) most = std::max(most, turns);
    }
    EXPECT_LE(most, 2);
}

struct ControlTimeDebt : ControlTimeTest, testing::WithParamInterface<int> {};

TEST_P(ControlTimeDebt, OfOneLongStepIsLimitedHoweverManyTheOthersAre) {
    std::vector<Client> heavy;
    while (std::ssize(heavy) < GetParam()) keep_working(heavy.emplace_back(client('h')), kSlice);
    use(b, 1h);
    EXPECT_FALSE(work(b, 1us));
    int turns_of_others = 0;
    while (pass() != "b") ASSERT_LT(++turns_of_others, 1'000'000);
    EXPECT_GE(turns_of_others, ControlTime::kLongestDebt / kSlice - GetParam());
    EXPECT_LE(turns_of_others, ControlTime::kLongestDebt / kSlice + 3 * GetParam());
}

INSTANTIATE_TEST_SUITE_P(Others, ControlTimeDebt, testing::Values(1, 8, 64));

TEST_F(ControlTimeTest, WhoHasUsedLittleFinishesWithoutAnotherTurn) {
    keep_working(a, kSlice);
    EXPECT_FALSE(work(light, 1us));
    EXPECT_EQ(pass(), "a");
    EXPECT_EQ(pass(), "l");
    EXPECT_TRUE(work(light, 30us));
    EXPECT_EQ(pass(), "a");
    EXPECT_TRUE(time.may_finish(light, kLarge));
    EXPECT_FALSE(time.may_run(light));
    use(light, kSlice);
    EXPECT_FALSE(time.may_finish(light, kLarge));
}

TEST_F(ControlTimeTest, ASmallAnswerNeedsNoTurn) {
    keep_working(a, kSlice);
    use(light, 10ms);
    EXPECT_FALSE(time.may_finish(light, kLarge));
    EXPECT_TRUE(time.may_finish(light, ControlTime::kSmallAnswerBytes));
}

TEST_F(ControlTimeTest, WhatIsDoneForAnotherClientCountsForThatClient) {
    use(a, 1ms);
    EXPECT_FALSE(work(light, 1us)) << "another client waits";
    {
        const ControlTime::Scope outer{time, a};
        {
            const ControlTime::Scope inner{time, b};
            const ControlTime::Scope same{time, b};
            used += 10ms;
        }
        used += 1us;
    }
    for (const Client& both : {b, a}) EXPECT_FALSE(work(both, 1us));
    EXPECT_EQ(pass(), "l");
    EXPECT_EQ(pass(), "a");
    EXPECT_EQ(pass(), "b");
}

TEST_F(ControlTimeTest, WhatMustNotWaitRunsWithoutATurnAFewTimes) {
    work(a, 1s);
    EXPECT_FALSE(time.may_run(a));
    for (int i = 0; i < ControlTime::kUrgentAtOnce; ++i) EXPECT_TRUE(time.may_run_urgently(a));
    EXPECT_FALSE(time.may_run_urgently(a));
    now += ControlTime::kUrgentInterval;
    EXPECT_TRUE(time.may_run_urgently(a));
    EXPECT_FALSE(time.may_run_urgently(a));
}

TEST_F(ControlTimeTest, SkipsClientsThatAreGone) {
    work(a, 1ms);
    auto gone = client('x');
    for (const Client& both : {gone, b}) EXPECT_FALSE(work(both, 1us));
    gone.reset();
    EXPECT_EQ(pass(), "b");
    EXPECT_FALSE(time.pass_over());
}

}  // namespace
}  // namespace rta::api
