// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>

#include "api/call.h"
#include "api/fairness.h"
#include "text/error.h"

namespace rta::api {

/// Counts failed attempts to authenticate, by network_of() or user. Uses bounded memory: the network whose last attempt
/// is the longest ago is forgotten first. [control]
class AttemptLimiter {
 public:
    static constexpr double kBurst = 10.0;
    static constexpr double kPerSecond = 1.0;
    static constexpr std::size_t kMaximumNetworks = 1024;

    /// Counts a failed attempt. Returns whether its network exceeds kPerSecond, after a burst of kBurst.
    [[nodiscard]] bool exceeds(const std::string& network, TimePoint now);
    [[nodiscard]] std::size_t size() const { return networks_.size(); }

 private:
    struct Bucket {
        double left;
        TimePoint updated;
    };
    void forget_one();
    std::unordered_map<std::string, Bucket> networks_;
};

/// Delays the answers to failed attempts from networks that exceed the limit. A delayed client is no longer counted, and
/// no other client waits: a valid token from the same address is accepted immediately. [control]
class FailedAttempts {
 public:
    /// Less than the time for which a refused client may stay connected.
    static constexpr std::chrono::milliseconds kDelay{500};

    /// Refuses the Hello of a client with `error`, as its last answer, now or after kDelay.
    void refuse(Call& call, const Error& error, TimePoint now);
    /// Sends the answers that are due.
    void poll(TimePoint now);
    [[nodiscard]] bool waiting() const { return !delayed_.empty(); }

 private:
    struct Delayed {
        TimePoint due;
        CallHandle call;
        Error error;
    };
    AttemptLimiter limiter_;
    std::deque<Delayed> delayed_;  ///< in the order in which they are due
};

}  // namespace rta::api
