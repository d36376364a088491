// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>

namespace rta::client {

/// A moment of the monotonic clock after which an operation gives up, or never.
class Deadline {
 public:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] static Deadline never() { return Deadline{}; }
    [[nodiscard]] static Deadline in(std::chrono::milliseconds time);

    [[nodiscard]] bool passed() const { return moment_ && Clock::now() >= *moment_; }
    /// What poll(2) takes: milliseconds, rounded up so that it does not wake before the moment; -1 is never.
    [[nodiscard]] int poll_timeout() const;
    /// The share of the time left that one of `count` attempts may take, so that the first cannot use up all of it.
    [[nodiscard]] Deadline share(std::size_t count) const;
    [[nodiscard]] std::optional<Clock::time_point> moment() const { return moment_; }

 private:
    std::optional<Clock::time_point> moment_;
};

}  // namespace rta::client
