// SPDX-License-Identifier: MIT
#pragma once

#include <deque>

#include "api/call.h"
#include "api/workers.h"
#include "engine/engine.h"

namespace rta::api {

/// Parses and prepares requests that would block the control thread for a long time, on a worker: one request of all
/// clients at a time, in the order in which their turns came. This bounds the memory that they take together. [control]
class LargeRequests {
 public:
    LargeRequests(Engine& engine, Workers& workers) : engine_{engine}, workers_{workers} {}
    LargeRequests(const LargeRequests&) = delete;
    LargeRequests& operator=(const LargeRequests&) = delete;
    ~LargeRequests() = default;

    /// Takes the request whose turn it is among those of its client, in stage `received`.
    void add(const Call& call);

 private:
    struct Job;
    void start_next();
    void start(const Call& call);
    void finish(Job& job, const CallHandle& handle);

    Engine& engine_;
    Workers& workers_;
    std::deque<CallHandle> waiting_;
    bool busy_ = false;
};

}  // namespace rta::api
