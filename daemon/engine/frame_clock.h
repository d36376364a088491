// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "rt/annotations.h"
#include "rt/cache_line.h"

namespace rta {

/// Relates the engine's sample clock to a monotonic clock: a line through (time, frame) of the device's callbacks,
/// smoothed by a delay-locked loop of second order (F. Adriaensen, "Using a DLL to filter time", 2005). The audio thread
/// adds callbacks; any thread reads the line.
class FrameClock {
 public:
    /// Bandwidth of the loop. Jitter of 1 ms moves the rate by about 10 ppm.
    static constexpr double kBandwidthHz = 0.05;
    /// A callback that differs from the line by more than this, or by more than four callbacks, starts a new line.
    static constexpr double kLongestErrorS = 0.02;

    /// The start of a device callback.
    struct Callback {
        std::int64_t time_ns;  ///< of the monotonic clock
        std::uint64_t frame;   ///< first frame of its samples
        std::uint32_t frames;
        std::uint64_t generation;  ///< of its device: another one starts a new line
    };
    /// A line, valid until the next callback.
    struct Line {
        double time_ns;  ///< at which `frame` starts
        std::uint64_t frame;
        double frame_ns;      ///< duration of a frame
        std::uint64_t limit;  ///< the device has the frames before this one only

        /// Returns the frame that starts at the time, or the last one that the device has.
        [[nodiscard]] double frame_at(std::int64_t at_ns) const noexcept;
        /// Returns the time at which a frame starts, also of one that the device does not have yet.
        [[nodiscard]] std::int64_t time_of(double at_frame) const noexcept;
    };

    explicit FrameClock(double sample_rate_hz) : nominal_ns_{1e9 / sample_rate_hz} {}

    /// [audio] Adds the start of a callback.
    void begin_callback(const Callback& callback) RTA_NONBLOCKING;
    /// [any] Returns the line; nullopt before the first callback, or if the audio thread has been interrupted while it
    /// writes.
    [[nodiscard]] std::optional<Line> line() const noexcept;

 private:
    void follow(const Callback& callback) RTA_NONBLOCKING;
    void publish() RTA_NONBLOCKING;

    double nominal_ns_;
    // Only the audio thread touches these.
    double time_ns_ = 0.0;
    double frame_ns_ = 0.0;
    std::uint64_t frame_ = 0;
    std::uint32_t frames_ = 0;
    double callbacks_ = 0.0;  ///< on this line
    std::uint64_t generation_ = 0;
    bool started_ = false;
    // A sequence lock: odd while the audio thread writes. The values are atomic, so a torn line is discarded, not undefined.
    alignas(kCacheLine) std::atomic<std::uint64_t> sequence_{0};
    std::array<std::atomic<std::uint64_t>, 4> published_{};
};

}  // namespace rta
