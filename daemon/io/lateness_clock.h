// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include "rt/annotations.h"

namespace rta::io {

/// When a device's callbacks are due, and which come late: arithmetic alone, without a clock of its own. Times are
/// nanoseconds of one monotonic clock. A callback is due when the frames of the one before it have been played. [audio]
///
/// Where callbacks come early, in a burst, the earliest counts. What is only a little late is forgiven within a second:
/// the device's clock is not ours, and 100 ppm between them would add up to anything within hours.
class LatenessClock {
 public:
    explicit LatenessClock(std::uint32_t sample_rate_hz) noexcept : sample_rate_hz_{sample_rate_hz} {}

    /// A callback for `frames` frames comes at `now_ns`. True if it is late: by more than the frames of the callback
    /// before it last, and by more than `tolerance_ns`. One long gap counts once.
    [[nodiscard]] bool callback(std::int64_t now_ns, std::uint32_t frames, std::int64_t tolerance_ns) RTA_NONBLOCKING {
        const std::int64_t lateness_ns = started_ ? now_ns - due_ns_ : 0;
        const bool late = lateness_ns > std::max(period_ns_, tolerance_ns);
        const std::int64_t period_ns = std::int64_t{frames} * kSecondNs / sample_rate_hz_;
        if (!started_ || late || lateness_ns < 0) {
            due_ns_ = now_ns + period_ns;
        } else {
            // As a share of a second: how much of its lateness a callback of this length is forgiven.
            due_ns_ += period_ns + lateness_ns * std::min(period_ns, kSecondNs) / kSecondNs;
        }
        started_ = true;
        period_ns_ = period_ns;
        return late;
    }

 private:
    static constexpr std::int64_t kSecondNs = 1'000'000'000;

    std::int64_t sample_rate_hz_;
    std::int64_t due_ns_ = 0;
    std::int64_t period_ns_ = 0;
    bool started_ = false;
};

}  // namespace rta::io
