// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>

namespace rta::client {

/// A time of the monotonic clock at which an operation times out, or never.
class Deadline {
 public:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] static Deadline never() { return Deadline{}; }
    [[nodiscard]] static Deadline in(std::chrono::milliseconds time);

    [[nodiscard]] bool passed() const { return moment_ && Clock::now() >= *moment_; }
    /// Returns the timeout for poll(2) in milliseconds, rounded up so that it does not return before the deadline; -1
    /// for never.
    [[nodiscard]] int poll_timeout() const;
    /// Returns the deadline of the first of `count` attempts that share the remaining time equally.
    [[nodiscard]] Deadline share(std::size_t count) const;
    [[nodiscard]] std::optional<Clock::time_point> moment() const { return moment_; }

 private:
    std::optional<Clock::time_point> moment_;
};

}  // namespace rta::client
