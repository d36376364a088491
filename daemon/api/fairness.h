// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "api/waiter.h"

namespace rta::api {

/// Clients for which the engine had no room. They share it by what their requests take of it, with fair queueing: the
/// client asks first whose share would be used up first. So a change of one parameter does not wait for those that fill a
/// block, however many they are, and a large request waits only until the others have had as much. [control]
class RoomQueue {
 public:
    /// `account` is what its clients have had of this room.
    explicit RoomQueue(std::uint64_t RoomAccounts::* account) : account_{account} {}

    [[nodiscard]] bool empty() const { return waiting_.empty(); }
    /// Returns false while others wait and it is not the turn of a request of this size: the engine must not be asked.
    [[nodiscard]] bool may_ask(const Waiter& waiter, std::size_t size) const {
        return waiting_.empty() || (in_turn_ == &waiter && turn_.size == size);
    }
    /// The engine had room. Further requests of the same client wait again.
    void took_room(Waiter& waiter);
    /// The request needs no room now: its client gives up its turn and is not charged.
    void leave_turn(const Waiter& waiter);
    /// The engine was full, or may_ask() returned false: the request waits. A client refused in its turn keeps its place,
    /// but a request of another size does not get the place of one that has expired or was refused.
    void wait(const std::shared_ptr<Waiter>& waiter, std::size_t size);
    /// Expires requests whose timeout has passed, then resumes clients in order until the engine is full again, or until
    /// `over` returns true: each may commit a large graph.
    void retry(TimePoint now, const std::function<bool()>& over);

 private:
    struct Place {
        std::weak_ptr<Waiter> waiter;
        std::size_t size;
        std::uint64_t end;  ///< of the client's account when it has had room
    };

    std::uint64_t RoomAccounts::* const account_;
    std::vector<Place> waiting_;       ///< sorted by end
    const Waiter* in_turn_ = nullptr;  ///< may ask although others wait
    Place turn_{};                     ///< its place
    std::uint64_t given_ = 0;          ///< what each client has had if all that wait have shared equally
    std::uint64_t rest_ = 0;           ///< what the division has left: small requests of many clients count, too
    bool full_ = false;                ///< the client in turn was refused
};

/// Clients whose transactions wait until the engine makes progress: an earlier change of the same places starts, or
/// removed nodes fade out. Other clients do not wait for them. [control]
class ProgressQueue {
 public:
    [[nodiscard]] bool empty() const { return waiting_.empty(); }
    void wait(const std::shared_ptr<Waiter>& waiter);
    /// Expires requests whose timeout has passed. Then, if `progress` of the engine has changed, resumes the other
    /// clients in order, until `over` returns true; the next calls resume the rest.
    void retry(TimePoint now, std::uint64_t progress, const std::function<bool()>& over);

 private:
    std::deque<std::weak_ptr<Waiter>> waiting_;
    std::uint64_t progress_ = 0;
    std::size_t due_ = 0;  ///< the first of waiting_ that have not been resumed since the progress
};

/// Prevents a loop from re-entering itself. A call made by the loop may request another run; the running loop covers
/// it.
class NonReentrant {
 public:
    /// Returns false without calling `loop` if it is running already.
    template <class Loop>
    bool run(Loop&& loop) {
        if (std::exchange(running_, true)) return false;
        const Ended ended{running_};
        std::forward<Loop>(loop)();
        return true;
    }

 private:
    /// Resets the flag, also after an exception.
    struct Ended {
        explicit Ended(bool& flag) : running{flag} {}
        Ended(const Ended&) = delete;
        Ended& operator=(const Ended&) = delete;
        ~Ended() { running = false; }
        bool& running;
    };

    bool running_ = false;
};

}  // namespace rta::api
