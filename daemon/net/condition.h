// SPDX-License-Identifier: MIT
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

namespace rta::net {

/// Lets one coroutine wait until another part of the program has raised the condition. A raise without a waiter is
/// stored for the next wait(). [control]
class Condition {
 public:
    explicit Condition(const asio::any_io_executor& executor)
        : timer_{executor, asio::steady_timer::time_point::max()} {}

    void raise() {
        raised_ = true;
        if (waiting_) timer_.cancel();
    }
    asio::awaitable<void> wait();

 private:
    asio::steady_timer timer_;
    bool raised_ = false;
    bool waiting_ = false;
};

}  // namespace rta::net
