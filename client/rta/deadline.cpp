// SPDX-License-Identifier: MIT
#include "rta/deadline.h"

#include <algorithm>
#include <limits>

namespace rta::client {

Deadline Deadline::in(std::chrono::milliseconds time) {
    // Prevents an overflow when the time is added to the clock.
    constexpr std::chrono::milliseconds kLongest = std::chrono::hours{24 * 365};
    Deadline deadline;
    deadline.moment_ = Clock::now() + std::clamp(time, std::chrono::milliseconds{0}, kLongest);
    return deadline;
}

int Deadline::poll_timeout() const {
    if (!moment_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*moment_ - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, std::numeric_limits<int>::max()));
}

Deadline Deadline::share(std::size_t count) const {
    if (!moment_) return *this;
    const auto now = Clock::now();
    const auto left = std::max(*moment_ - now, Clock::duration::zero());
    Deadline deadline;
    deadline.moment_ = now + left / static_cast<Clock::rep>(std::max<std::size_t>(count, 1));
    return deadline;
}

}  // namespace rta::client
