// SPDX-License-Identifier: MIT
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

namespace rta::net {

/// Bounds the time of the control thread that HTTP connections take, all together: they take their steps one after the
/// other, and a step is followed by a pause of kShare times its own time. A step answers a request, or sends a part of a
/// response. Unlike the time of a client, that of a step is not counted for the one that causes it: most connections are
/// of clients that are unknown, and that may come again under another address. [control]
class WebTurns : public std::enable_shared_from_this<WebTurns> {
 public:
    using Clock = std::chrono::steady_clock;
    /// Shortest time from one turn to the next one.
    static constexpr std::chrono::microseconds kInterval{500};
    static constexpr int kShare = 7;

    class Waiter {
     public:
        virtual ~Waiter() = default;
        virtual void turn_has_come() = 0;
    };

    /// Counts the processor time until the end of the scope as a step.
    class Step {
     public:
        explicit Step(WebTurns& turns);
        Step(const Step&) = delete;
        Step& operator=(const Step&) = delete;
        ~Step();

     private:
        WebTurns& turns_;
        const std::chrono::nanoseconds start_;
    };

    explicit WebTurns(const asio::any_io_executor& executor) : timer_{executor} {}
    WebTurns(const WebTurns&) = delete;
    WebTurns& operator=(const WebTurns&) = delete;
    ~WebTurns() = default;

    /// Returns whether a step may be taken now. Otherwise turn_has_come() is called later, unless the waiter has been
    /// destroyed. Networks (api::network_of()) have one turn each in every round, so that one client with many connections
    /// does not delay the others.
    [[nodiscard]] bool may_step(const std::shared_ptr<Waiter>& waiter, const std::string& network);
    /// Must be called after every step, with the time that it took. See Step.
    void stepped(std::chrono::nanoseconds time);

 private:
    struct Place {
        std::weak_ptr<Waiter> waiter;
        std::uint64_t round;
    };
    void give_turn();
    void watch();

    std::deque<Place> waiting_;                    ///< in the order of their rounds
    std::map<std::string, std::uint64_t> rounds_;  ///< the last one in which a network has a place, if it is not over
    std::uint64_t round_ = 0;                      ///< of the latest turn
    Clock::time_point due_{};                      ///< the next turn
    asio::steady_timer timer_;
    bool watching_ = false;
};

}  // namespace rta::net
