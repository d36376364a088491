// SPDX-License-Identifier: MIT
#pragma once

#include <asio/awaitable.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "api/client.h"
#include "frame/frame_codec.h"
#include "net/server.h"

namespace rta::api {

/// Lets one coroutine wait until something may have changed. Raised while nobody waits, it is remembered. [control]
class Signal {
 public:
    explicit Signal(const asio::any_io_executor& executor) : timer_{executor, asio::steady_timer::time_point::max()} {}

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

/// A client on its socket, TCP or Unix: one coroutine reads requests, one writes answers and events.
///
/// Reading stops while the client has enough to do or the client does not read its answers. When the client has
/// sent its last byte, what it asked for is still answered; then the session ends. [control]
class Session final : public std::enable_shared_from_this<Session> {
 public:
    using Socket = asio::generic::stream_protocol::socket;

    Session(Socket socket, std::shared_ptr<Client> client, std::string name, LogSink log);
    /// `ended` is called once, unless close() is.
    void start(std::chrono::milliseconds hello_time, std::function<void()> ended);
    /// At once; what is not written is lost.
    void close();
    /// It is over but for telling the client why.
    [[nodiscard]] bool refused() const { return client_->refused(); }

 private:
    asio::awaitable<void> read_requests();
    asio::awaitable<void> write_answers();
    asio::awaitable<void> linger();
    void await_hello(std::chrono::milliseconds time);
    void limit_refusal();
    void take_in();
    void stream_ended();
    void client_changed();
    void failed(const std::exception_ptr& thrown);
    void end();

    Socket socket_;
    std::shared_ptr<Client> client_;
    std::string name_;  ///< for the log
    LogSink log_;
    std::function<void()> ended_;
    FrameDecoder decoder_;
    Signal may_read_;
    Signal may_write_;
    asio::steady_timer linger_timer_;
    asio::steady_timer hello_timer_;
    bool leaving_ = false;  ///< the linger timer runs
    bool input_ended_ = false;
    bool closed_ = false;
};

}  // namespace rta::api
