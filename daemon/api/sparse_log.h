// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace rta::api {

/// Holds back log lines of one kind for which others give cause as often as they like. [control]
class SparseLog {
 public:
    using TimePoint = std::chrono::steady_clock::time_point;

    explicit SparseLog(std::chrono::milliseconds pause) : pause_{pause} {}

    /// To be called for each cause. A line is due: how many causes before this one had none. Nothing: be silent.
    [[nodiscard]] std::optional<std::uint64_t> due(TimePoint now) {
        if (next_ && now < *next_) {
            ++silent_;
            return std::nullopt;
        }
        next_ = now + pause_;
        return std::exchange(silent_, 0);
    }

 private:
    std::chrono::milliseconds pause_;
    std::optional<TimePoint> next_{};
    std::uint64_t silent_ = 0;
};

}  // namespace rta::api
