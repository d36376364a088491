// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>

namespace rta::test {

/// Time limit for an expected event. It measures nothing: it is far longer than the event takes, because the machine
/// may be busy and sanitizers slow everything down.
inline constexpr std::chrono::seconds kPatience{60};

/// A point in time that limits several waits together.
class Deadline {
 public:
    explicit Deadline(std::chrono::milliseconds from_now = kPatience) : end_{Clock::now() + from_now} {}

    [[nodiscard]] bool passed() const { return Clock::now() >= end_; }
    /// Returns the time left, never negative; rounded up, so that a wait of this length does not end early.
    [[nodiscard]] std::chrono::milliseconds left() const {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
        return std::max(left, std::chrono::milliseconds{0});
    }
    [[nodiscard]] std::chrono::steady_clock::time_point end() const { return end_; }

 private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point end_;
};

}  // namespace rta::test
