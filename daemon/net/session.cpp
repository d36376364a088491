// SPDX-License-Identifier: MIT
#include "net/session.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "api/exception_barrier.h"
#include "text/names.h"

namespace rta::api {
namespace {

constexpr std::size_t kReadBytes = std::size_t{16} << 10U;
/// Written at once; after each of these the client is asked whether it may go on.
constexpr std::size_t kWriteBytes = std::size_t{256} << 10U;
/// A refused client has this long to read why.
constexpr std::chrono::seconds kLingerTime{1};

}  // namespace

asio::awaitable<void> Signal::wait() {
    while (!raised_) {
        waiting_ = true;
        asio::error_code ignored;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        waiting_ = false;
    }
    raised_ = false;
}

Session::Session(Socket socket, std::shared_ptr<Client> client, std::string name, LogSink log)
    : socket_{std::move(socket)},
      client_{std::move(client)},
      name_{std::move(name)},
      log_{std::move(log)},
      may_read_{socket_.get_executor()},
      may_write_{socket_.get_executor()},
      linger_timer_{socket_.get_executor()},
      hello_timer_{socket_.get_executor()} {}

void Session::start(std::chrono::milliseconds hello_time, std::function<void()> ended) {
    ended_ = std::move(ended);
    client_->on_change([this] { client_changed(); });
    await_hello(hello_time);
    if (client_->refused()) limit_refusal();
    const auto self = shared_from_this();
    const auto finished = [self](const std::exception_ptr& thrown) {
        if (thrown) self->failed(thrown);
    };
    asio::co_spawn(socket_.get_executor(), [self] { return self->read_requests(); }, finished);
    asio::co_spawn(socket_.get_executor(), [self] { return self->write_answers(); }, finished);
}

void Session::close() {
    if (closed_) return;
    closed_ = true;
    ended_ = nullptr;
    client_->close();
    asio::error_code ignored;
    socket_.close(ignored);
    linger_timer_.cancel();
    hello_timer_.cancel();
    may_read_.raise();
    may_write_.raise();
}

/// One client's session ends, not the daemon.
void Session::failed(const std::exception_ptr& thrown) {
    const auto told = guarded("a failed session was logged", [&] {
        log_(LogLevel::error, name_ + ": " + thrown_error(thrown, "the client was served").sentence);
    });
    static_cast<void>(told);
    end();
}

void Session::end() {
    const auto ended = std::move(ended_);
    close();
    if (ended) ended();
}

/// Must not touch the client: it is in the middle of something.
void Session::client_changed() {
    if (!client_->lost().empty() && socket_.is_open()) {
        log_(LogLevel::warning, name_ + " " + quoted(client_->client_name()) + " " + std::string{client_->lost()} +
                                    "; its connection is closed");
        // A write that waits for the client ends with an error now, and so does the session.
        asio::error_code ignored;
        socket_.close(ignored);
    }
    if (client_->refused()) limit_refusal();
    may_read_.raise();
    may_write_.raise();
}

/// From the refusal on, whether or not the client reads it: it holds a place that others need.
void Session::limit_refusal() {
    if (closed_ || std::exchange(leaving_, true)) return;
    linger_timer_.expires_after(kLingerTime);
    linger_timer_.async_wait([self = weak_from_this()](asio::error_code cancelled) {
        const auto alive = self.lock();
        if (!cancelled && alive && !alive->closed_) alive->end();
    });
}

asio::awaitable<void> Session::read_requests() {
    std::array<char, kReadBytes> buffer{};
    while (!closed_) {
        take_in();
        if (client_->refused()) break;
        if (!client_->wants_more()) {
            co_await may_read_.wait();
            continue;
        }
        asio::error_code error;
        const std::size_t count =
            co_await socket_.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
        if (closed_) co_return;
        if (error == asio::error::eof) {
            stream_ended();
            break;
        }
        if (error) {
            log_(LogLevel::debug, name_ + " is gone: " + error.message());
            end();
            co_return;
        }
        decoder_.feed({buffer.data(), count});
    }
    input_ended_ = true;
    may_write_.raise();
}

void Session::await_hello(std::chrono::milliseconds time) {
    hello_timer_.expires_after(time);
    hello_timer_.async_wait([self = weak_from_this()](asio::error_code cancelled) {
        const auto alive = self.lock();
        if (cancelled || !alive || alive->closed_ || !alive->client_->awaits_hello()) return;
        alive->client_->refuse_stream(
            Error{ErrorCode::deadline_exceeded, "no hello came in time; the connection is closed", {}});
        // The read that waits for the client ends with an end of file.
        asio::error_code ignored;
        alive->socket_.shutdown(Socket::shutdown_receive, ignored);
    });
}

void Session::take_in() {
    while (client_->wants_more()) {
        const auto frame = decoder_.next();
        if (!frame) {
            client_->refuse_stream(
                Error{ErrorCode::invalid_argument, std::string{frame_error_sentence(frame.error())}, {}});
            return;
        }
        if (!*frame) return;
        client_->receive(**frame);
    }
}

void Session::stream_ended() {
    if (decoder_.buffered() == 0 || client_->refused()) return;
    client_->refuse_stream(
        Error{ErrorCode::invalid_argument,
              "the stream ended within a message, of which " + std::to_string(decoder_.buffered()) + " bytes came",
              {}});
}

asio::awaitable<void> Session::write_answers() {
    while (!closed_) {
        if (client_->outbox().empty()) {
            if (input_ended_ && client_->idle()) break;
            co_await may_write_.wait();
            continue;
        }
        const std::vector<Outbox::Chunk> chunks = client_->outbox().take(kWriteBytes);
        std::vector<asio::const_buffer> buffers;
        buffers.reserve(chunks.size());
        for (const Outbox::Chunk& chunk : chunks) buffers.push_back(asio::buffer(chunk.bytes()));
        asio::error_code error;
        co_await asio::async_write(socket_, buffers, asio::redirect_error(asio::use_awaitable, error));
        if (closed_) co_return;
        if (error) {
            log_(LogLevel::debug, name_ + " is gone: " + error.message());
            break;
        }
        client_->outbox().sent(chunks);
        client_->output_drained();
    }
    if (!closed_ && socket_.is_open()) co_await linger();
    if (!closed_) end();
}

/// Closing a socket with unread bytes in it throws away what is still on its way to the client, the last answer with
/// it.
asio::awaitable<void> Session::linger() {
    asio::error_code error;
    socket_.shutdown(Socket::shutdown_send, error);
    limit_refusal();
    std::array<char, 1024> discarded{};
    while (!error) {
        co_await socket_.async_read_some(asio::buffer(discarded), asio::redirect_error(asio::use_awaitable, error));
    }
    linger_timer_.cancel();
}

}  // namespace rta::api
