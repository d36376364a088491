// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>

#include "api/call.h"
#include "api/workers.h"
#include "engine/engine.h"

namespace rta::api {

/// Parses and prepares requests that would block the control thread for a long time, on a worker. One request of all
/// clients at a time, in the order in which their turns came: the next is parsed when the turn of the one before is
/// over. This bounds the memory that they take together. [control]
class LargeRequests {
 public:
    LargeRequests(Engine& engine, Workers& workers) : engine_{engine}, workers_{workers} {}
    LargeRequests(const LargeRequests&) = delete;
    LargeRequests& operator=(const LargeRequests&) = delete;
    ~LargeRequests() = default;

    /// Takes the request whose turn it is among those of its client, in stage `received`.
    void add(const Call& call);
    /// Must be called when the turn of a request is over or its client has left.
    void start_next();

 private:
    struct Job;
    /// Returns whether the turn of a request that has been parsed is not over.
    [[nodiscard]] bool in_turn();
    void start(const Call& call);
    void finish(Job& job, const CallHandle& handle);

    Engine& engine_;
    Workers& workers_;
    std::deque<CallHandle> waiting_;
    std::optional<CallHandle> current_;
    bool on_worker_ = false;
};

}  // namespace rta::api
