// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>

namespace rta::test {

/// How long a test waits for an event before it calls it missing. Never a measure of anything: the machine is noisy and
/// a sanitizer slows everything, so it is far above what the event takes.
inline constexpr std::chrono::seconds kPatience{60};

/// A moment until which several waits go on together.
class Deadline {
 public:
    explicit Deadline(std::chrono::milliseconds from_now = kPatience) : end_{Clock::now() + from_now} {}

    [[nodiscard]] bool passed() const { return Clock::now() >= end_; }
    /// Never negative; rounded up, so that a wait of this length does not end early.
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
