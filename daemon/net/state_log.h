// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "net/log.h"

namespace rta::net {

/// Logs the state of something that other programs may change at any rate. After a line, waits for the interval and
/// then logs the state at that time, if it differs from the one logged last. The log is therefore never out of date for
/// longer than the interval. Not thread-safe.
class StateLog {
 public:
    using TimePoint = std::chrono::steady_clock::time_point;

    StateLog(LogSink sink, std::chrono::milliseconds interval) : sink_{std::move(sink)}, interval_{interval} {}

    void set(LogLevel level, std::string line, TimePoint now) {
        state_ = {level, std::move(line)};
        update(now);
    }
    /// Logs the state if it is time to.
    void update(TimePoint now) {
        if (state_ == logged_ || (next_ && now < *next_)) return;
        next_ = now + interval_;
        logged_ = state_;
        sink_(logged_.level, logged_.line);
    }
    /// Returns when to call update(); nullopt: the log is up to date.
    [[nodiscard]] std::optional<TimePoint> due() const { return state_ == logged_ ? std::nullopt : next_; }

 private:
    struct State {
        LogLevel level = LogLevel::info;
        std::string line{};
        [[nodiscard]] bool operator==(const State&) const = default;
    };

    LogSink sink_;
    std::chrono::milliseconds interval_;
    State state_{};
    State logged_{};
    std::optional<TimePoint> next_{};
};

}  // namespace rta::net
