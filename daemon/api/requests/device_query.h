// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "api/daemon_access.h"
#include "api/fairness.h"
#include "text/error.h"

namespace rta::api {

/// Lists the devices, with one search at a time for all clients: searching is slow, and clients may send many requests.
/// [control]
class DeviceQuery {
 public:
    /// Time limit for the search on the device thread.
    static constexpr std::chrono::seconds kDeadline{10};

    using Listed = std::function<void(const Expected<std::vector<DeviceInfo>>&)>;

    explicit DeviceQuery(DaemonAccess& daemon) : daemon_{daemon} {}
    DeviceQuery(const DeviceQuery&) = delete;
    DeviceQuery& operator=(const DeviceQuery&) = delete;

    /// Calls `listed` once, with the devices or with DEADLINE_EXCEEDED.
    void list(TimePoint now, Listed listed);
    void expire(TimePoint now);

 private:
    struct Caller {
        Listed listed;
        TimePoint deadline;
    };
    void answer(const std::vector<DeviceInfo>& devices);

    DaemonAccess& daemon_;
    std::deque<Caller> callers_;
    bool running_ = false;
    /// Held weakly by the daemon's callback, which may come after this has been destroyed.
    std::shared_ptr<DeviceQuery*> self_ = std::make_shared<DeviceQuery*>(this);
};

}  // namespace rta::api
