// SPDX-License-Identifier: MIT
#include "net/condition.h"

#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

namespace rta::net {

asio::awaitable<void> Condition::wait() {
    while (!raised_) {
        waiting_ = true;
        asio::error_code ignored;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        waiting_ = false;
    }
    raised_ = false;
}

}  // namespace rta::net
