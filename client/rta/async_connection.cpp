// SPDX-License-Identifier: MIT
#include "rta/async_connection.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <asio/any_io_executor.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include "os/unique_fd.h"

namespace rta::client {

namespace {

Error interrupted() { return {.kind = Error::Kind::interrupted, .sentence = "interrupted"}; }

/// What the temporary thread of AsyncConnection::open() and the executor share. They meet in a descriptor, because the
/// executor may be gone when the thread ends.
struct Opening {
    os::UniqueFd done{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    std::promise<Expected<DaemonClient>> result{};
};

Expected<std::shared_ptr<Opening>> start_opening(Endpoints endpoints, ClientOptions options) {
    auto opening = std::make_shared<Opening>();
    try {
        std::thread{[opening, endpoints = std::move(endpoints), options = std::move(options)] {
            opening->result.set_value(DaemonClient::open(endpoints.list, options));
            ::eventfd_write(opening->done.get(), 1);
        }}.detach();
    } catch (const std::system_error& error) {
        return fail(Error::Kind::cannot_connect, std::string{"cannot start a thread: "} + error.what());
    }
    return opening;
}

/// Returns a descriptor that the executor can wait for. The original is closed by its owner.
Expected<asio::posix::stream_descriptor> duplicate(const asio::any_io_executor& executor, int descriptor) {
    os::UniqueFd copy{::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)};
    asio::error_code error;
    if (!copy) error = asio::error_code{errno, asio::error::get_system_category()};
    asio::posix::stream_descriptor result{executor};
    if (!error) result.assign(copy.get(), error);
    if (error) return fail(Error::Kind::cannot_connect, "cannot wait for the connection: " + error.message());
    static_cast<void>(copy.release());
    return result;
}

}  // namespace

asio::awaitable<bool> wait_for(asio::steady_timer& timer) {
    asio::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() == asio::cancellation_type::none;
}

asio::awaitable<Expected<AsyncConnection::Pointer>> AsyncConnection::open(Endpoints endpoints, ClientOptions options,
                                                                          Events events) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto opening = start_opening(std::move(endpoints), options);
    if (!opening) co_return std::unexpected(opening.error());
    auto done = duplicate(executor, (*opening)->done.get());
    if (!done) co_return std::unexpected(std::move(done.error()));
    asio::error_code error;
    co_await done->async_wait(asio::posix::descriptor_base::wait_read,
                              asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return std::unexpected(interrupted());
    Expected<DaemonClient> client = (*opening)->result.get_future().get();
    if (!client) co_return std::unexpected(std::move(client.error()));
    auto descriptor = duplicate(executor, client->descriptor());
    if (!descriptor) co_return std::unexpected(std::move(descriptor.error()));
    co_return std::make_shared<AsyncConnection>(std::move(*descriptor), std::move(*client), std::move(options), events);
}

AsyncConnection::AsyncConnection(asio::posix::stream_descriptor descriptor, DaemonClient client, ClientOptions options,
                                 Events events)
    : descriptor_{std::move(descriptor)}, client_{std::move(client)}, options_{std::move(options)}, events_{events} {
    keep_session(options_, client_.hello());
}

/// A call that waits for its response.
class AsyncConnection::Call {
 public:
    Call(AsyncConnection& connection, std::uint64_t id)
        : connection_{connection},
          id_{id},
          timer_{connection.descriptor_.get_executor(), *Deadline::in(connection.options_.timeout).moment()} {
        connection_.calls_.emplace(id_, &timer_);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() {
        connection_.calls_.erase(id_);
        connection_.client_.abandon(id_);
        connection_.disarm_if_idle();
    }

    [[nodiscard]] asio::steady_timer& timer() { return timer_; }
    [[nodiscard]] bool timed_out() const { return timer_.expiry() <= asio::steady_timer::clock_type::now(); }

 private:
    AsyncConnection& connection_;
    std::uint64_t id_;
    asio::steady_timer timer_;
};

asio::awaitable<Expected<v1::Response>> AsyncConnection::call(Pointer self, v1::Request request) {
    if (self->closed_) co_return std::unexpected(interrupted());
    const auto id = self->client_.enqueue(std::move(request));
    if (!id) co_return std::unexpected(id.error());
    Call call{*self, *id};
    self->pump();
    for (;;) {
        if (auto response = self->client_.take_response(*id)) co_return std::move(*response);
        if (self->closed_) co_return std::unexpected(interrupted());
        if (self->client_.end()) co_return std::unexpected(*self->client_.end());
        if (call.timed_out()) co_return std::unexpected(self->client_.no_response_within(self->options_.timeout));
        self->arm();
        if (!co_await wait_for(call.timer())) co_return std::unexpected(interrupted());
    }
}

/// A caller of next_event().
class AsyncConnection::EventWait {
 public:
    explicit EventWait(AsyncConnection& connection)
        : connection_{connection},
          timer_{connection.descriptor_.get_executor(), asio::steady_timer::time_point::max()} {
        connection_.event_wait_ = &timer_;
    }
    EventWait(const EventWait&) = delete;
    EventWait& operator=(const EventWait&) = delete;
    ~EventWait() {
        connection_.event_wait_ = nullptr;
        connection_.disarm_if_idle();
    }

    [[nodiscard]] asio::steady_timer& timer() { return timer_; }

 private:
    AsyncConnection& connection_;
    asio::steady_timer timer_;
};

asio::awaitable<Expected<v1::Event>> AsyncConnection::next_event(Pointer self) {
    EventWait wait{*self};
    if (!self->client_.has_event()) self->pump();
    for (;;) {
        if (auto event = self->client_.take_event()) co_return std::move(*event);
        if (self->closed_) co_return std::unexpected(interrupted());
        if (self->client_.end()) co_return std::unexpected(*self->client_.end());
        self->arm();
        if (!co_await wait_for(wait.timer())) co_return std::unexpected(interrupted());
    }
}

/// Moves bytes until the stream is not ready, or until there are events and no call needs more.
void AsyncConnection::pump() {
    constexpr int kMostMoves = 64;  // then other handlers of the executor have their turn
    int moves = 0;
    while (!closed_ && moves < kMostMoves && client_.poll()) {
        ++moves;
        while (events_ == Events::discard && client_.take_event()) {
        }
        if (calls_.empty() && client_.has_event()) break;
    }
    wake();
    if (moves == kMostMoves) {
        asio::post(descriptor_.get_executor(), [self = shared_from_this()] { self->continue_waiting(); });
    }
}

/// Moves bytes if a caller needs more than it has.
void AsyncConnection::continue_waiting() {
    if (!waits_for_input()) return;
    pump();
    arm();
}

/// Responses arrive in the order of the requests, so the last call is the last to be answered.
bool AsyncConnection::waits_for_input() const {
    if (closed_ || client_.end()) return false;
    if (!calls_.empty() && !client_.has_response(calls_.rbegin()->first)) return true;
    return event_wait_ != nullptr && !client_.has_event();
}

/// Wakes the callers that have what they wait for.
void AsyncConnection::wake() {
    const bool ended = closed_ || client_.end().has_value();
    for (const auto& [id, timer] : calls_) {
        if (ended || client_.has_response(id)) timer->cancel();
    }
    if (event_wait_ != nullptr && (ended || client_.has_event())) event_wait_->cancel();
}

void AsyncConnection::arm() {
    if (!waits_for_input()) return;
    if (!reads_) wait_until_ready(asio::posix::descriptor_base::wait_read, reads_);
    if (client_.wants_to_write() && !writes_) wait_until_ready(asio::posix::descriptor_base::wait_write, writes_);
}

void AsyncConnection::wait_until_ready(asio::posix::descriptor_base::wait_type type, bool& armed) {
    armed = true;
    descriptor_.async_wait(type, [self = shared_from_this(), &armed](const asio::error_code& /*error*/) {
        armed = false;
        // After disarm_if_idle(), too: a call may have begun since then.
        self->continue_waiting();
    });
}

/// An idle connection must not keep the executor running.
void AsyncConnection::disarm_if_idle() {
    if (waits_for_input() || closed_ || (!reads_ && !writes_)) return;
    asio::error_code error;
    descriptor_.cancel(error);
}

void AsyncConnection::close() {
    closed_ = true;
    asio::error_code error;
    descriptor_.close(error);
    wake();
}

}  // namespace rta::client
