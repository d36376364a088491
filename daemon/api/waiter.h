// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace rta::api {

using TimePoint = std::chrono::steady_clock::time_point;

/// What a client has used of the control thread; see ControlTime.
struct TimeAccount {
    std::chrono::nanoseconds used{};                     ///< on the scale of ControlTime::served()
    std::chrono::nanoseconds start{};                    ///< of the turn that it waits for, on the same scale
    std::optional<std::chrono::nanoseconds> expected{};  ///< use in a turn, by the previous ones; nullopt: no turn yet
    bool waits = false;                                  ///< for a turn
    TimePoint urgent_due{};                              ///< of its requests that must not wait
};

/// What a client has had of the room in the engine; see RoomQueue.
struct RoomAccounts {
    std::uint64_t plans = 0;       ///< one for each transaction, however many edits it has
    std::uint64_t parameters = 0;  ///< one for each changed parameter
};

/// Base class of what waits for its turn, or for room in the engine: a client. [control]
class Waiter {
 public:
    virtual ~Waiter() = default;
    /// Called when its turn has come: continues with the request that had to wait.
    virtual void resume() = 0;
    /// Refuses a request that has waited longer than its timeout, without waiting for its turn.
    virtual void expire(TimePoint now) = 0;

    [[nodiscard]] TimeAccount& account() { return account_; }
    [[nodiscard]] RoomAccounts& room() { return room_; }

 private:
    TimeAccount account_;
    RoomAccounts room_;
};

}  // namespace rta::api
