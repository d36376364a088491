// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace rta::net {

/// Rate-limits log lines of one kind that remote peers can trigger. [control]
class LogLimiter {
 public:
    using TimePoint = std::chrono::steady_clock::time_point;

    explicit LogLimiter(std::chrono::milliseconds interval) : interval_{interval} {}

    /// Must be called for each occurrence. If a line may be logged now, returns the number of occurrences suppressed
    /// since the last line, otherwise nothing.
    [[nodiscard]] std::optional<std::uint64_t> due(TimePoint now) {
        if (next_ && now < *next_) {
            ++suppressed_;
            return std::nullopt;
        }
        next_ = now + interval_;
        return std::exchange(suppressed_, 0);
    }

 private:
    std::chrono::milliseconds interval_;
    std::optional<TimePoint> next_{};
    std::uint64_t suppressed_ = 0;
};

}  // namespace rta::net
