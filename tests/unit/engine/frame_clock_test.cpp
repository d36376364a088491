// SPDX-License-Identifier: MIT
// The line through device callbacks: jitter, drift, another device, stalls.
#include "engine/frame_clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <random>
#include <thread>

namespace rta::test {
namespace {

constexpr std::uint32_t kFrames = 256;

/// A device whose clock runs at `rate_hz`, and whose callbacks are late by up to `jitter_ns`.
class Device {
 public:
    Device(FrameClock& clock, double rate_hz, double jitter_ns)
        : clock_{clock}, rate_hz_{rate_hz}, jitter_{0.0, jitter_ns} {}
    void play(double seconds) {
        for (const std::uint64_t end = frame_ + static_cast<std::uint64_t>(seconds * rate_hz_); frame_ < end;) {
            const auto late_ns = static_cast<std::int64_t>(jitter_(random_));
            clock_.begin_callback({time_of(frame_) + late_ns, frame_, kFrames, generation});
            frame_ += kFrames;
        }
    }
    void stall(double seconds) { start_ns_ += 1e9 * seconds; }
    [[nodiscard]] std::int64_t time_of(std::uint64_t frame) const {
        return std::llround(start_ns_ + 1e9 * static_cast<double>(frame) / rate_hz_);
    }
    [[nodiscard]] std::uint64_t frame() const { return frame_; }
    std::uint64_t generation = 1;

 private:
    FrameClock& clock_;
    double rate_hz_;
    double start_ns_ = 5e12;
    std::uint64_t frame_ = 0;
    std::uniform_real_distribution<double> jitter_;
    std::mt19937 random_{13};  // NOLINT: the same jitter every time
};

TEST(FrameClock, HasNoLineBeforeTheFirstCallback) {
    FrameClock clock{48'000.0};
    EXPECT_FALSE(clock.line());
    clock.begin_callback({1'000'000, 0, kFrames, 1});
    ASSERT_TRUE(clock.line());
    EXPECT_EQ(clock.line()->frame_at(2'000'000), 48.0);
    EXPECT_EQ(clock.line()->time_of(48.0), 2'000'000);
}

TEST(FrameClock, SmoothsJitterAndFollowsDrift) {
    for (const double ppm : {-200.0, 0.0, 200.0}) {
        FrameClock clock{48'000.0};
        Device device{clock, 48'000.0 * (1 + ppm * 1e-6), 1e6};
        device.play(60);
        for (int i = 0; i < 100; ++i) {
            device.play(0.1);
            const auto line = clock.line();
            const std::uint64_t frame = device.frame() - kFrames / 2;
            // The mean lateness, 0.5 ms, cannot be told from the device's latency; the jitter is +-24 frames.
            EXPECT_NEAR(line->frame_at(device.time_of(frame) + 500'000), static_cast<double>(frame), 8.0) << ppm;
            EXPECT_NEAR(line->frame_ns * 48e-6, 1 / (1 + ppm * 1e-6), 30e-6) << ppm;
        }
    }
}

TEST(FrameClock, NeverPassesTheFramesThatTheDeviceHas) {
    FrameClock clock{48'000.0};
    Device device{clock, 48'000.0, 0};
    device.play(1);
    EXPECT_EQ(clock.line()->frame_at(device.time_of(device.frame()) + 10'000'000'000),
              static_cast<double>(device.frame()));
}

TEST(FrameClock, AnotherDeviceAndALongStallStartANewLine) {
    FrameClock clock{48'000.0};
    Device device{clock, 48'000.0, 0};
    device.play(5);
    for (const bool another : {true, false}) {
        device.stall(another ? 0.015 : 0.5);
        if (another) ++device.generation;
        device.play(0.005);
        const std::uint64_t frame = device.frame() - kFrames;
        EXPECT_NEAR(clock.line()->frame_at(device.time_of(frame)), static_cast<double>(frame), 0.01);
        device.play(5);
    }
}

TEST(FrameClock, AReaderNeverSeesHalfALine) {
    FrameClock clock{48'000.0};
    std::atomic<bool> stop = false;
    std::thread audio{[&] {
        Device device{clock, 48'000.0, 0};
        while (!stop) device.play(0.1);
    }};
    int lines = 0;
    while (lines < 20'000) {
        const auto line = clock.line();
        if (!line) continue;
        ++lines;
        ASSERT_EQ(line->limit - line->frame, kFrames);
        ASSERT_NEAR(line->time_ns - 5e12, static_cast<double>(line->frame) * 1e9 / 48'000.0, 1e5);
    }
    stop = true;
    audio.join();
}

}  // namespace
}  // namespace rta::test
