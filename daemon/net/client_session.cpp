// SPDX-License-Identifier: MIT
#include "net/client_session.h"

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "api/exception_barrier.h"
#include "text/quoting.h"

namespace rta::net {
namespace {

constexpr std::size_t kReadBytes = std::size_t{16} << 10U;
/// Size of one write. After each write, the session asks the client for the next data.
constexpr std::size_t kWriteBytes = std::size_t{256} << 10U;
/// Time that a refused client has to read the reason.
constexpr std::chrono::seconds kLingerTime{1};

}  // namespace

asio::awaitable<void> Condition::wait() {
    while (!raised_) {
        waiting_ = true;
        asio::error_code ignored;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        waiting_ = false;
    }
    raised_ = false;
}

ClientSession::ClientSession(const asio::any_io_executor& executor, std::unique_ptr<ByteStream> stream,
                             std::shared_ptr<api::Client> client, std::shared_ptr<LargeMessages> large_messages,
                             std::string name, LogSink log)
    : executor_{executor},
      stream_{std::move(stream)},
      client_{std::move(client)},
      large_messages_{std::move(large_messages)},
      name_{std::move(name)},
      log_{std::move(log)},
      may_read_{executor},
      may_write_{executor},
      linger_timer_{executor},
      hello_timer_{executor} {}

void ClientSession::start(std::chrono::milliseconds hello_time, std::function<void()> ended) {
    ended_ = std::move(ended);
    client_->on_change([this] { client_changed(); });
    await_hello(hello_time);
    if (client_->refused()) limit_refusal();
    const auto self = shared_from_this();
    const auto finished = [self](const std::exception_ptr& thrown) {
        if (thrown) self->failed(thrown);
    };
    asio::co_spawn(executor_, [self] { return self->read_requests(); }, finished);
    asio::co_spawn(executor_, [self] { return self->write_responses(); }, finished);
}

void ClientSession::close() {
    if (closed_) return;
    closed_ = true;
    ended_ = nullptr;
    client_->close();
    stream_->close();
    large_messages_->leave(*this);
    linger_timer_.cancel();
    hello_timer_.cancel();
    may_read_.raise();
    may_write_.raise();
}

/// An exception ends the session of this client, not the daemon.
void ClientSession::failed(const std::exception_ptr& thrown) {
    const auto logged = api::guarded("logging a failed session", [&] {
        log_(LogLevel::error, name_ + ": " + api::thrown_error(thrown, "the client was served").sentence);
    });
    static_cast<void>(logged);
    end();
}

void ClientSession::end() {
    const auto ended = std::move(ended_);
    close();
    if (ended) ended();
}

/// Must not call the client back, which is in the middle of an operation.
void ClientSession::client_changed() {
    if (!client_->lost().empty() && stream_->is_open()) {
        log_(LogLevel::warning,
             name_ + " " + quoted(client_->name()) + " " + std::string{client_->lost()} + "; disconnecting it");
        // A write that waits for the client to read now fails, which ends the session.
        stream_->close();
    }
    if (client_->refused()) limit_refusal();
    may_read_.raise();
    may_write_.raise();
}

/// A refused client must not occupy its slot longer than this, whether or not it reads the reason.
void ClientSession::limit_refusal() {
    if (closed_ || std::exchange(leaving_, true)) return;
    linger_timer_.expires_after(kLingerTime);
    linger_timer_.async_wait([self = weak_from_this()](asio::error_code cancelled) {
        const auto alive = self.lock();
        if (!cancelled && alive && !alive->closed_) alive->end();
    });
}

void ClientSession::await_hello(std::chrono::milliseconds time) {
    hello_timer_.expires_after(time);
    hello_timer_.async_wait([self = weak_from_this()](asio::error_code cancelled) {
        const auto alive = self.lock();
        if (cancelled || !alive || alive->closed_ || !alive->client_->awaits_hello()) return;
        alive->client_->refuse_stream(
            Error{ErrorCode::deadline_exceeded, "no Hello received in time; disconnecting", {}});
        alive->stream_->stop_reading();
    });
}

asio::awaitable<void> ClientSession::read_requests() {
    std::array<char, kReadBytes> buffer{};
    bool first = true;
    while (!closed_) {
        decode_requests();
        if (client_->refused()) break;
        if (!may_hold_more()) {
            co_await may_read_.wait();
            continue;
        }
        asio::error_code error;
        const std::size_t count = co_await stream_->read_some(buffer, error);
        if (closed_) co_return;
        if (error == asio::error::eof) {
            input_finished();
            break;
        }
        if (error) {
            log_(LogLevel::debug, name_ + " disconnected: " + error.message());
            end();
            co_return;
        }
        if (std::exchange(first, false)) client_->set_certificate_name(stream_->certificate_name());
        decoder_.feed({buffer.data(), count});
    }
    large_messages_->leave(*this);
    input_ended_ = true;
    may_write_.raise();
}

bool ClientSession::holds_large_message() const {
    return decoder_.buffered() >= LargeMessages::kFreeBytes || client_->parsing();
}

bool ClientSession::may_hold_more() {
    if (!holds_large_message()) large_messages_->leave(*this);
    if (!client_->wants_more()) return false;
    return !holds_large_message() || large_messages_->enter({shared_from_this(), this});
}

void ClientSession::end_large_message() {
    if (client_->refused()) return;
    client_->refuse_stream(Error{ErrorCode::deadline_exceeded,
                                 "a message of 64 KiB or more was not complete in time, and other clients wait to send "
                                 "theirs; disconnecting",
                                 {}});
    stream_->stop_reading();
}

void ClientSession::decode_requests() {
    while (client_->wants_more()) {
        const auto frame = decoder_.next();
        if (!frame) {
            client_->refuse_stream(
                Error{ErrorCode::invalid_argument, std::string{frame_error_sentence(frame.error())}, {}});
            return;
        }
        if (!*frame) return;
        client_->receive(**frame);
        decoder_.free_taken();
    }
}

void ClientSession::input_finished() {
    if (decoder_.buffered() == 0 || client_->refused()) return;
    client_->refuse_stream(Error{
        ErrorCode::invalid_argument,
        "the stream ended within a message; only " + std::to_string(decoder_.buffered()) + " bytes of it were received",
        {}});
}

asio::awaitable<void> ClientSession::write_responses() {
    while (!closed_) {
        if (client_->outbox().empty()) {
            if (input_ended_ && client_->idle()) break;
            co_await may_write_.wait();
            continue;
        }
        const std::vector<api::Outbox::Chunk> chunks = client_->outbox().take(kWriteBytes);
        std::vector<asio::const_buffer> buffers;
        buffers.reserve(chunks.size());
        for (const api::Outbox::Chunk& chunk : chunks) buffers.push_back(asio::buffer(chunk.bytes()));
        asio::error_code error;
        co_await stream_->write(buffers, error);
        if (closed_) co_return;
        if (error) {
            log_(LogLevel::debug, name_ + " disconnected: " + error.message());
            break;
        }
        client_->outbox().sent(chunks);
        client_->output_drained();
    }
    if (!closed_ && stream_->is_open()) co_await linger();
    if (!closed_) end();
}

/// Waits until the client has closed its side. Closing a socket that holds unread input would discard the output that
/// is still in transit, including the last response.
asio::awaitable<void> ClientSession::linger() {
    // Also limits finish_writing(), for which a client that does not read may leave no room.
    limit_refusal();
    asio::error_code error;
    co_await stream_->finish_writing(error);
    // After a failed write read_requests() may still be reading, and a stream allows one read at a time.
    while (!error && !input_ended_ && !closed_) co_await may_write_.wait();
    std::array<char, 1024> discarded{};
    while (!error && !closed_) co_await stream_->read_some(discarded, error);
    linger_timer_.cancel();
}

}  // namespace rta::net
