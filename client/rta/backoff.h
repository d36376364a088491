// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <random>

#include "rta/error.h"

namespace rta::client {

/// Pauses between attempts to reconnect: each is drawn from the upper half of an interval that doubles up to a limit, so
/// that many clients of one daemon do not return together.
class Backoff {
 public:
    using Duration = std::chrono::steady_clock::duration;

    Backoff(Duration shortest, Duration longest, std::uint32_t seed);

    /// Returns the pause before the next attempt.
    [[nodiscard]] Duration next();
    /// The connection works again.
    void reset() { limit_ = shortest_; }

 private:
    Duration shortest_;
    Duration longest_;
    Duration limit_;
    std::minstd_rand random_;
};

/// Returns whether a further attempt can be expected to succeed without a change by a person.
[[nodiscard]] bool is_transient(const Error& error);

}  // namespace rta::client
