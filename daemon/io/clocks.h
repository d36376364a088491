// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include "rt/annotations.h"

namespace rta::io {

inline constexpr std::int64_t kSecondNs = 1'000'000'000;

/// Returns nanoseconds of CLOCK_MONOTONIC, the clock of std::chrono::steady_clock. [any]
[[nodiscard]] std::int64_t monotonic_now_ns() RTA_NONBLOCKING;

/// Detects late device callbacks. Pure arithmetic: the caller passes times, in nanoseconds of one monotonic clock. A
/// callback is due when the frames of the previous one have been played. [audio]
///
/// If callbacks arrive early, in a burst, the earliest is the reference. A small lateness decays with a time constant
/// of one second, because the clocks of the device and the machine differ: a drift of 100 ppm would otherwise add up
/// over hours.
class LatenessClock {
 public:
    explicit LatenessClock(std::uint32_t sample_rate_hz) noexcept : sample_rate_hz_{sample_rate_hz} {}

    /// Registers a callback for `frames` frames at `now_ns`. Returns true if it is late by more than the duration of
    /// the previous callback and by more than `tolerance_ns`. One long gap counts once.
    [[nodiscard]] bool callback(std::int64_t now_ns, std::uint32_t frames, std::int64_t tolerance_ns) RTA_NONBLOCKING {
        const std::int64_t lateness_ns = started_ ? now_ns - due_ns_ : 0;
        const bool late = lateness_ns > std::max(period_ns_, tolerance_ns);
        const std::int64_t period_ns = std::int64_t{frames} * kSecondNs / sample_rate_hz_;
        if (!started_ || late || lateness_ns < 0) {
            due_ns_ = now_ns + period_ns;
        } else {
            // Reduces the lateness by a fraction: the period divided by one second.
            due_ns_ += period_ns + lateness_ns * std::min(period_ns, kSecondNs) / kSecondNs;
        }
        started_ = true;
        period_ns_ = period_ns;
        return late;
    }

 private:
    std::int64_t sample_rate_hz_;
    std::int64_t due_ns_ = 0;
    std::int64_t period_ns_ = 0;
    bool started_ = false;
};

/// Schedules the blocks of the null device. Pure arithmetic: the caller passes times, in nanoseconds of one monotonic
/// clock. Block n is due at the anchor plus n blocks; it is computed from n, so errors do not accumulate.
///
/// A thread that wakes late runs up to three overdue blocks immediately. Once it is four blocks late, the anchor moves
/// to the current time and the missed time is dropped, so the clock never runs a long burst. [any, one thread at a
/// time]
class NullClock {
 public:
    static constexpr std::int64_t kReanchorBlocks = 4;

    /// The first block is due at `now_ns`. Sample rate and block size must be at least 1.
    NullClock(std::uint32_t sample_rate_hz, std::uint32_t block_size, std::int64_t now_ns) noexcept
        : sample_rate_hz_{sample_rate_hz}, block_size_{block_size}, anchor_ns_{now_ns} {}

    /// Returns when the next block is due.
    [[nodiscard]] std::int64_t due_ns() const noexcept { return anchor_ns_ + duration_ns(blocks_ * block_size_); }

    /// Registers that the next block starts at `now_ns`.
    void begin_block(std::int64_t now_ns) noexcept {
        if (now_ns - due_ns() >= kReanchorBlocks * duration_ns(block_size_)) {
            anchor_ns_ = now_ns;
            blocks_ = 0;
        }
        ++blocks_;
    }

 private:
    /// Converts whole seconds and the remainder separately: frames times nanoseconds would overflow within two days.
    [[nodiscard]] std::int64_t duration_ns(std::uint64_t frames) const noexcept {
        constexpr std::uint64_t kSecond = 1'000'000'000;
        return static_cast<std::int64_t>(frames / sample_rate_hz_ * kSecond +
                                         frames % sample_rate_hz_ * kSecond / sample_rate_hz_);
    }

    std::uint64_t sample_rate_hz_;
    std::uint64_t block_size_;
    std::int64_t anchor_ns_;
    std::uint64_t blocks_ = 0;  ///< started since the anchor
};

}  // namespace rta::io
