// SPDX-License-Identifier: MIT
#include "io/clocks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace rta::io {
namespace {

constexpr std::int64_t kFirstCallback = 1'234'567'890'123;
constexpr std::int64_t kMs = 1'000'000;
// 64 frames at 64 kHz: 1 ms.
constexpr std::uint32_t kClockRate = 64'000;
constexpr std::uint32_t kFrames = 64;

/// Returns how many of `count` callbacks at intervals of `period_ns` are late.
int late_of(LatenessClock& clock, std::int64_t& now, int count, std::int64_t period_ns, std::int64_t tolerance = 0) {
    int late = 0;
    for (int i = 0; i < count; ++i) {
        now += period_ns;
        late += clock.callback(now, kFrames, tolerance) ? 1 : 0;
    }
    return late;
}

TEST(LatenessClock, LateIsMoreThanOnePeriod) {
    LatenessClock clock{kClockRate};
    EXPECT_FALSE(clock.callback(kFirstCallback, kFrames, 0)) << "the first callback is due when it comes";
    EXPECT_FALSE(clock.callback(kFirstCallback + 2 * kMs, kFrames, 0)) << "due after 1 ms, so 1 ms late";
    LatenessClock other{kClockRate};
    EXPECT_FALSE(other.callback(kFirstCallback, kFrames, 0));
    EXPECT_TRUE(other.callback(kFirstCallback + 2 * kMs + 1, kFrames, 0));
}

TEST(LatenessClock, ItDoesNotMatterHowLongTheMachineHasBeenUp) {
    constexpr std::int64_t kTenYears = kMs * 1'000 * 315'576'000;
    for (const std::int64_t uptime_ns : {std::int64_t{0}, kTenYears}) {
        LatenessClock clock{kClockRate};
        std::int64_t now = uptime_ns;
        EXPECT_FALSE(clock.callback(now, kClockRate, 0)) << "a whole second of frames";
        EXPECT_FALSE(clock.callback(now += 1'900 * kMs, kClockRate, 0));
        EXPECT_TRUE(clock.callback(now += 3'600'000 * kMs, kClockRate, 0)) << "asleep for an hour";
        EXPECT_FALSE(clock.callback(now += 1'000 * kMs, kClockRate, 0));
    }
}

TEST(LatenessClock, ADeviceThatBuffersMayBeCalledAsLateAsItsBufferLasts) {
    LatenessClock clock{kClockRate};
    EXPECT_FALSE(clock.callback(kFirstCallback, kFrames, 5 * kMs));
    EXPECT_FALSE(clock.callback(kFirstCallback + 6 * kMs, kFrames, 5 * kMs));
    LatenessClock other{kClockRate};
    EXPECT_FALSE(other.callback(kFirstCallback, kFrames, 5 * kMs));
    EXPECT_TRUE(other.callback(kFirstCallback + 6 * kMs + 1, kFrames, 5 * kMs));
}

TEST(LatenessClock, ThePeriodIsThatOfTheCallbackBefore) {
    LatenessClock clock{kClockRate};
    EXPECT_FALSE(clock.callback(kFirstCallback, 10 * kFrames, 0));
    EXPECT_FALSE(clock.callback(kFirstCallback + 20 * kMs, kFrames, 0));
    EXPECT_TRUE(clock.callback(kFirstCallback + 20 * kMs + 30 * kMs, kFrames, 0));
}

TEST(LatenessClock, OneGapCountsOnceHoweverLongAndHoweverItIsCaughtUp) {
    for (const int owed : {0, 3, 20}) {
        LatenessClock clock{kClockRate};
        std::int64_t now = kFirstCallback;
        EXPECT_EQ(late_of(clock, now, 100, kMs), 0);
        now += 200 * kMs;
        EXPECT_TRUE(clock.callback(now, kFrames, 0));
        EXPECT_EQ(late_of(clock, now, owed, 1'000), 0) << "what the device is owed comes immediately";
        EXPECT_EQ(late_of(clock, now, 100, kMs), 0);
    }
}

TEST(LatenessClock, BurstsAreNotLate) {
    // A device with periods of 4 ms that makes callbacks of 1 ms.
    LatenessClock clock{kClockRate};
    std::int64_t now = kFirstCallback;
    int late = 0;
    for (int burst = 0; burst < 1'000; ++burst) {
        for (int i = 0; i < 4; ++i) late += clock.callback(now + i * 10'000, kFrames, 4 * kMs) ? 1 : 0;
        now += 4 * kMs;
    }
    EXPECT_EQ(late, 0);
}

TEST(LatenessClock, AnotherClocksDriftNeverCounts) {
    for (const double ppm : {-1'000.0, -100.0, 100.0, 500.0}) {
        LatenessClock clock{kClockRate};
        int late = 0;
        // One hour.
        for (std::int64_t i = 0; i < 3'600'000; ++i) {
            const double due_ns = static_cast<double>(i) * 1e6 * (1.0 + ppm * 1e-6);
            late += clock.callback(kFirstCallback + std::llround(due_ns), kFrames, 0) ? 1 : 0;
        }
        EXPECT_EQ(late, 0) << ppm << " ppm";
    }
}

TEST(LatenessClock, JitterOfLessThanAPeriodDoesNotCountAndDoesNotHideAGap) {
    LatenessClock clock{kClockRate};
    std::mt19937 random{1};
    std::uniform_int_distribution<std::int64_t> jitter{0, 800'000};
    int late = 0;
    for (std::int64_t i = 0; i < 100'000; ++i) {
        const std::int64_t gap = i >= 50'000 ? 3 * kMs : 0;
        late += clock.callback(kFirstCallback + i * kMs + gap + jitter(random), kFrames, 0) ? 1 : 0;
    }
    EXPECT_EQ(late, 1);
}

}  // namespace
}  // namespace rta::io
