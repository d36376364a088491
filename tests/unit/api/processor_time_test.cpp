// SPDX-License-Identifier: MIT
#include "api/processor_time.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace rta::api {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

struct ProcessorTimeTest : testing::Test {
    /// The thread works, and then other programs run.
    void pass(nanoseconds work, nanoseconds others = 0ns) {
        processor += work;
        now += work + others;
    }
    /// Returns the time used since the previous call.
    nanoseconds used() {
        const nanoseconds total = time.used();
        return total - std::exchange(previous, total);
    }

    nanoseconds now = 1h;
    nanoseconds processor = 1min;
    nanoseconds previous{0};
    int reads = 0;
    ProcessorTime time{[this] { return now; },
                       [this] {
                           ++reads;
                           return processor;
                       }};
};

TEST_F(ProcessorTimeTest, IsExactWhileNoOtherProgramRuns) {
    used();
    for (const nanoseconds work : std::initializer_list<nanoseconds>{1us, 99us, 100us, 101us, 700us, 1s, 1us}) {
        pass(work);
        EXPECT_EQ(used(), work);
    }
}

TEST_F(ProcessorTimeTest, LeavesOutOtherProgramsWhenTheyRunForLong) {
    used();
    pass(5us, 20ms);
    EXPECT_EQ(used(), 5us);
    pass(3ms, 20ms);
    EXPECT_EQ(used(), 3ms);
    pass(0us, 1h);
    EXPECT_EQ(used(), 0us);
}

TEST_F(ProcessorTimeTest, CountsNoMoreThanWhatWasUsedSinceTheProcessorClockWasRead) {
    used();
    for (int i = 0; i < 40; ++i) {
        pass(10us);
        EXPECT_EQ(used(), 10us);
    }
    pass(5us, 20ms);
    EXPECT_LE(used(), 5us + ProcessorTime::kAnchorInterval);
    pass(5us, 20ms);
    EXPECT_EQ(used(), 5us);
}

TEST_F(ProcessorTimeTest, SeldomReadsTheProcessorClock) {
    used();
    reads = 0;
    for (int i = 0; i < 10'000; ++i) {
        pass(1us);
        EXPECT_EQ(used(), 1us);
    }
    EXPECT_LE(reads, 10ms / ProcessorTime::kAnchorInterval);
}

}  // namespace
}  // namespace rta::api
