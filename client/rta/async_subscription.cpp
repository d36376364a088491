// SPDX-License-Identifier: MIT
#include "rta/async_subscription.h"

#include <algorithm>
#include <asio/this_coro.hpp>
#include <random>
#include <utility>

#include "rta/requests.h"

namespace rta::client {

AsyncSubscriptionState::AsyncSubscriptionState(const asio::any_io_executor& executor, Endpoints endpoints,
                                               SubscribeOptions subscribe, ClientOptions options)
    : endpoints_{std::move(endpoints)},
      subscribe_{std::move(subscribe)},
      options_{std::move(options)},
      pause_{executor},
      backoff_{subscribe_.shortest_pause, subscribe_.longest_pause, std::random_device{}()},
      tracker_{!subscribe_.nodes.empty()} {}

asio::awaitable<Expected<AsyncSubscriptionState::Pointer>> AsyncSubscriptionState::open(Endpoints endpoints,
                                                                                        SubscribeOptions subscribe,
                                                                                        ClientOptions options) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    auto self = std::make_shared<AsyncSubscriptionState>(executor, std::move(endpoints), std::move(subscribe),
                                                         std::move(options));
    const Expected<void> connected = co_await self->connect();
    if (!connected) co_return std::unexpected(connected.error());
    co_return self;
}

template <class Result>
asio::awaitable<Expected<Result>> AsyncSubscriptionState::call(v1::Request request) {
    Expected<v1::Response> response = co_await AsyncConnection::call(connection_, std::move(request));
    co_return result_of<Result>(std::move(response));
}

asio::awaitable<Expected<void>> AsyncSubscriptionState::connect() {
    Expected<AsyncConnection::Pointer> opened =
        co_await AsyncConnection::open(endpoints_, options_, AsyncConnection::Events::keep);
    if (!opened) co_return std::unexpected(std::move(opened.error()));
    if (closed_) co_return fail(Error::Kind::interrupted, "interrupted");  // while it was connecting
    connection_ = std::move(*opened);
    keep_session(options_, connection_->client().hello());
    v1::Request request = subscribe_request(subscribe_);
    if (has_changes()) tracker_.request_resume(*request.mutable_subscribe());
    const Expected<v1::SubscribeResult> subscribed = co_await call<v1::SubscribeResult>(std::move(request));
    if (!subscribed) {
        disconnect();
        co_return std::unexpected(subscribed.error());
    }
    if (has_changes()) tracker_.subscribed(*subscribed);
    co_return Expected<void>{};
}

/// Pauses, then connects.
asio::awaitable<Expected<void>> AsyncSubscriptionState::reconnect() {
    pause_.expires_after(backoff_.next());
    const bool waited = co_await wait_for(pause_);
    if (!waited || closed_) co_return fail(Error::Kind::interrupted, "interrupted");
    const Expected<void> connected = co_await connect();
    co_return connected;
}

/// Subscribe precedes GetGraph, so no change is lost between the two. The status comes last, so that all changes that it
/// does not contain follow as events.
asio::awaitable<Expected<Resync>> AsyncSubscriptionState::resync(Resync::Reason reason) {
    if (types_instance_ != tracker_.instance_id()) {
        Expected<v1::NodeTypesResult> types = co_await call<v1::NodeTypesResult>(node_types_request());
        if (!types) co_return std::unexpected(std::move(types.error()));
        types_ = std::make_shared<const v1::NodeTypesResult>(std::move(*types));
        types_instance_ = tracker_.instance_id();
    }
    Expected<v1::GraphResult> graph = co_await call<v1::GraphResult>(graph_request());
    if (!graph) co_return std::unexpected(std::move(graph.error()));
    Expected<v1::StatusResult> status = co_await call<v1::StatusResult>(status_request());
    if (!status) co_return std::unexpected(std::move(status.error()));
    tracker_.resynced(*graph);
    Resync item;
    item.reason = reason;
    item.instance_id = tracker_.instance_id();
    item.graph = std::move(*graph);
    item.status = std::move(*status);
    item.types = types_;
    co_return item;
}

/// Returns the next item, or why this connection has none.
asio::awaitable<Expected<SubscriptionItem>> AsyncSubscriptionState::next_of_connection() {
    for (;;) {
        if (const auto reason = tracker_.needs_resync()) {
            Expected<Resync> item = co_await resync(*reason);
            if (!item) co_return std::unexpected(std::move(item.error()));
            co_return SubscriptionItem{std::move(*item)};
        }
        Expected<v1::Event> event = co_await AsyncConnection::next_event(connection_);
        if (!event) co_return std::unexpected(std::move(event.error()));
        if (!has_changes() || tracker_.take(*event) == ChangeTracker::Verdict::deliver) {
            co_return SubscriptionItem{std::move(*event)};
        }
    }
}

asio::awaitable<Expected<SubscriptionItem>> AsyncSubscriptionState::next(Pointer self) {
    for (;;) {
        if (self->closed_) co_return fail(Error::Kind::interrupted, "interrupted");
        Expected<void> connected;
        if (!self->connection_) connected = co_await self->reconnect();
        Error error;
        if (connected) {
            Expected<SubscriptionItem> item = co_await self->next_of_connection();
            if (item) self->backoff_.reset();
            if (item) co_return std::move(*item);
            error = std::move(item.error());
            if (error.kind == Error::Kind::interrupted) co_return std::unexpected(std::move(error));
            self->disconnect();
        } else {
            error = std::move(connected.error());
        }
        if (!is_transient(error)) co_return std::unexpected(std::move(error));
    }
}

bool AsyncSubscriptionState::has_changes() const {
    return subscribe_.topics.empty() ||
           std::ranges::find(subscribe_.topics, v1::TOPIC_CHANGES) != subscribe_.topics.end();
}

void AsyncSubscriptionState::disconnect() {
    if (connection_) connection_->close();
    connection_.reset();
}

void AsyncSubscriptionState::close() {
    closed_ = true;
    disconnect();
    pause_.cancel();
}

}  // namespace rta::client
