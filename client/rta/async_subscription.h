// SPDX-License-Identifier: MIT
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <optional>

#include "rta/async_connection.h"
#include "rta/backoff.h"
#include "rta/change_tracker.h"
#include "rta/subscription.h"

namespace rta::client {

/// The subscription behind AsyncSubscription and Subscription. Not thread-safe.
class AsyncSubscriptionState {
 public:
    using Pointer = std::shared_ptr<AsyncSubscriptionState>;

    /// Connects and subscribes.
    static asio::awaitable<Expected<Pointer>> open(Endpoints endpoints, SubscribeOptions subscribe,
                                                   ClientOptions options);
    AsyncSubscriptionState(const asio::any_io_executor& executor, Endpoints endpoints, SubscribeOptions subscribe,
                           ClientOptions options);

    static asio::awaitable<Expected<SubscriptionItem>> next(Pointer self);
    /// Ends a next() in progress with `interrupted`.
    void close();

 private:
    asio::awaitable<Expected<void>> connect();
    asio::awaitable<Expected<void>> reconnect();
    asio::awaitable<Expected<Resync>> resync(Resync::Reason reason);
    template <class Result>
    asio::awaitable<Expected<Result>> call(v1::Request request);
    asio::awaitable<Expected<SubscriptionItem>> next_of_connection();
    [[nodiscard]] bool has_changes() const;
    void disconnect();

    Endpoints endpoints_;
    SubscribeOptions subscribe_;
    ClientOptions options_;
    asio::steady_timer pause_;
    Backoff backoff_;
    ChangeTracker tracker_;
    AsyncConnection::Pointer connection_;  ///< null while disconnected
    std::shared_ptr<const v1::NodeTypesResult> types_;
    std::string types_instance_;  ///< the instance that types_ came from
    bool closed_ = false;
};

}  // namespace rta::client
