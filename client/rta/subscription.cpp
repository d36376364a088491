// SPDX-License-Identifier: MIT
#include "rta/subscription.h"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <exception>
#include <utility>

#include "rta/async_subscription.h"
#include "rta/deadline.h"
#include "rta/endpoint.h"
#include "rta/target.h"

namespace rta {

/// Runs the asynchronous subscription on an executor of its own, inside the calls of the user.
struct Subscription::Impl {
    asio::io_context context{1};
    client::AsyncSubscriptionState::Pointer state;
    bool waits = false;  ///< a call of next() is in progress, perhaps since an earlier call of the user
    std::optional<client::Expected<SubscriptionItem>> item;
    std::atomic<bool> interrupted = false;

    ~Impl() {
        if (state) state->close();
    }

    /// Runs an operation to its end.
    template <class Result>
    Result run(asio::awaitable<Result> operation);
    void start_next();
};

template <class Result>
Result Subscription::Impl::run(asio::awaitable<Result> operation) {
    std::optional<Result> result;
    asio::co_spawn(context, std::move(operation), [&](const std::exception_ptr& error, Result value) {
        if (error) std::rethrow_exception(error);
        result = std::move(value);
    });
    context.restart();
    while (!result) context.run_one();
    return std::move(*result);
}

void Subscription::Impl::start_next() {
    waits = true;
    asio::co_spawn(context, client::AsyncSubscriptionState::next(state),
                   [this](const std::exception_ptr& error, client::Expected<SubscriptionItem> value) {
                       waits = false;
                       if (error) std::rethrow_exception(error);
                       item = std::move(value);
                   });
}

Subscription::Subscription(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
Subscription::Subscription(Subscription&&) noexcept = default;
Subscription& Subscription::operator=(Subscription&&) noexcept = default;
Subscription::~Subscription() = default;

client::Expected<Subscription> Subscription::open(std::string_view address, SubscribeOptions subscribe,
                                                  ClientOptions options) {
    auto target = client::target_of(address, std::move(options));
    if (!target) return std::unexpected(std::move(target.error()));
    return open_at(std::move(target->endpoints), std::move(subscribe), std::move(target->options));
}

client::Expected<Subscription> Subscription::open_at(client::Endpoints endpoints, SubscribeOptions subscribe,
                                                     ClientOptions options) {
    auto impl = std::make_unique<Impl>();
    auto state =
        impl->run(client::AsyncSubscriptionState::open(std::move(endpoints), std::move(subscribe), std::move(options)));
    if (!state) return std::unexpected(std::move(state.error()));
    impl->state = std::move(*state);
    return Subscription{std::move(impl)};
}

client::Expected<SubscriptionItem> Subscription::next(std::optional<std::chrono::milliseconds> timeout) {
    const auto deadline = timeout ? client::Deadline::in(*timeout) : client::Deadline::never();
    if (!impl_->waits && !impl_->item) impl_->start_next();
    while (!impl_->item) {
        // Before the flag is read: interrupt() sets it first, then stops the context.
        impl_->context.restart();
        if (impl_->interrupted.exchange(false)) {
            return client::fail(client::Error::Kind::interrupted, "interrupted");
        }
        if (impl_->context.poll_one() > 0) continue;  // run_one_until() runs nothing after its deadline
        if (deadline.passed()) return client::fail(client::Error::Kind::timeout, "no event within the time");
        if (timeout) {
            impl_->context.run_one_until(*deadline.moment());
        } else {
            impl_->context.run_one();
        }
    }
    return *std::exchange(impl_->item, std::nullopt);
}

void Subscription::interrupt() {
    impl_->interrupted = true;
    impl_->context.stop();
}

}  // namespace rta
