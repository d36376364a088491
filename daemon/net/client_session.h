// SPDX-License-Identifier: MIT
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/client.h"
#include "frame/frame_codec.h"
#include "net/byte_stream.h"
#include "net/large_messages.h"
#include "net/log.h"

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

/// Serves one client over a byte stream: one coroutine reads requests, another writes responses and events.
///
/// Reading pauses while the client has enough requests pending or does not read its responses. After the end of the
/// input, all pending requests are answered before the session ends. [control]
class ClientSession final : public std::enable_shared_from_this<ClientSession>, private LargeMessages::Holder {
 public:
    /// `name` identifies the session in the log.
    ClientSession(const asio::any_io_executor& executor, std::unique_ptr<ByteStream> stream,
                  std::shared_ptr<api::Client> client, std::shared_ptr<LargeMessages> large_messages, std::string name,
                  LogSink log);

    /// Starts serving. Calls `ended` once, unless close() is called first. A client that has not sent Hello after
    /// `hello_time` is refused.
    void start(std::chrono::milliseconds hello_time, std::function<void()> ended);

    /// Ends the session immediately; unwritten bytes are lost.
    void close();

    /// Returns true if the client was refused and the session stays open only to deliver the reason.
    [[nodiscard]] bool refused() const { return client_->refused(); }

 private:
    asio::awaitable<void> read_requests();
    asio::awaitable<void> write_responses();
    asio::awaitable<void> linger();
    void await_hello(std::chrono::milliseconds time);
    void limit_refusal();
    [[nodiscard]] bool decode_requests();
    [[nodiscard]] std::vector<api::Outbox::Chunk> take_output();
    void input_finished();
    void client_changed();
    [[nodiscard]] bool may_hold_more();
    [[nodiscard]] bool holds_large_message() const;
    void place_free() override { may_read_.raise(); }
    [[nodiscard]] bool waits_for_daemon() const override { return client_->waits_for_worker(); }
    void end_large_message() override;
    void failed(const std::exception_ptr& thrown);
    void end();

    asio::any_io_executor executor_;
    std::unique_ptr<ByteStream> stream_;
    std::shared_ptr<api::Client> client_;
    std::shared_ptr<LargeMessages> large_messages_;
    std::string name_;
    LogSink log_;
    std::function<void()> ended_;
    FrameDecoder decoder_;
    Condition may_read_;
    Condition may_write_;
    asio::steady_timer linger_timer_;
    asio::steady_timer hello_timer_;
    bool leaving_ = false;  ///< the linger timer has been started
    bool input_ended_ = false;
    bool closed_ = false;
};

}  // namespace rta::net
