// SPDX-License-Identifier: MIT
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

namespace rta::net {

/// Limits how many sessions hold a large message that has not been parsed, so that clients cannot fill the memory with
/// parts of messages. A session without a place does not read on. [control]
class LargeMessages : public std::enable_shared_from_this<LargeMessages> {
 public:
    /// A session that holds more unparsed bytes needs a place.
    static constexpr std::size_t kFreeBytes = std::size_t{64} << 10U;

    class Holder {
     public:
        virtual ~Holder() = default;
        /// A place has become free.
        virtual void place_free() = 0;
        /// Whether its message waits for the daemon and not for the client.
        [[nodiscard]] virtual bool waits_for_daemon() const = 0;
        /// Its message took too long. It must give up its place.
        virtual void end_large_message() = 0;
    };

    /// While others wait for one of the `places`, a client must complete its message within `longest`.
    LargeMessages(const asio::any_io_executor& executor, std::size_t places, std::chrono::milliseconds longest)
        : place_count_{places}, longest_{longest}, timer_{executor} {}
    LargeMessages(const LargeMessages&) = delete;
    LargeMessages& operator=(const LargeMessages&) = delete;
    ~LargeMessages() = default;

    /// Takes a place. Returns false if none is free: then place_free() is called later.
    [[nodiscard]] bool enter(const std::shared_ptr<Holder>& holder);
    /// Gives up the place, or the wait for one, if there is either.
    void leave(const Holder& holder);

 private:
    using Clock = std::chrono::steady_clock;
    struct Place {
        std::weak_ptr<Holder> holder;
        const Holder* address;
        Clock::time_point since;
    };

    void wake_next();
    void watch();
    void end_slow();

    const std::size_t place_count_;
    const std::chrono::milliseconds longest_;
    std::vector<Place> places_;
    std::deque<Place> waiting_;
    asio::steady_timer timer_;
    bool watching_ = false;
};

}  // namespace rta::net
