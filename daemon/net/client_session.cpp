// SPDX-License-Identifier: MIT
#include "net/client_session.h"

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "api/exception_barrier.h"
#include "net/first_bytes.h"
#include "text/quoting.h"

namespace rta::net {
namespace {

/// Size of one read. Most clients never send as much as the first value at a time.
constexpr std::size_t kFirstReadBytes = std::size_t{2} << 10U;
constexpr std::size_t kReadBytes = std::size_t{16} << 10U;
/// Size of one write. After each write, the session asks the client for the next data.
constexpr std::size_t kWriteBytes = std::size_t{256} << 10U;
/// Time that a refused client has to read the reason.
constexpr std::chrono::seconds kLingerTime{1};

/// Removes the first `bytes` of the buffers.
void skip(std::vector<asio::const_buffer>& buffers, std::size_t bytes) {
    auto first = buffers.begin();
    for (; first != buffers.end() && bytes >= first->size(); ++first) bytes -= first->size();
    if (first != buffers.end()) *first += bytes;
    buffers.erase(buffers.begin(), first);
}

}  // namespace

ClientSession::ClientSession(const asio::any_io_executor& executor, std::unique_ptr<ByteStream> stream,
                             std::shared_ptr<api::Client> client, std::shared_ptr<LargeMessages> large_messages,
                             Name name, LogSink log)
    : executor_{executor},
      stream_{std::move(stream)},
      client_{std::move(client)},
      large_messages_{std::move(large_messages)},
      name_{std::move(name)},
      log_{std::move(log)},
      may_read_{executor},
      may_write_{executor},
      linger_timer_{executor} {}

void ClientSession::start(Owner& owner) {
    owner_ = &owner;
    client_->on_change([this] { client_changed(); });
    const auto self = shared_from_this();
    const auto finished = [self](const std::exception_ptr& thrown) {
        if (thrown) self->failed(thrown);
    };
    asio::co_spawn(executor_, [self] { return self->read_requests(); }, finished);
    asio::co_spawn(executor_, [self] { return self->write_responses(); }, finished);
}

std::string ClientSession::log_name() const {
    return "client " + std::to_string(name_.number) + " on " + name_.listener;
}

void ClientSession::close() {
    if (closed_) return;
    const auto spending = client_->spend();
    closed_ = true;
    owner_ = nullptr;
    client_->close();
    stream_->close();
    large_messages_->leave(*this);
    linger_timer_.cancel();
    may_read_.raise();
    may_write_.raise();
}

/// An exception ends the session of this client, not the daemon.
void ClientSession::failed(const std::exception_ptr& thrown) {
    const auto logged = api::guarded("logging a failed session", [&] {
        log_(LogLevel::error, log_name() + ": " + api::thrown_error(thrown, "the client was served").sentence);
    });
    static_cast<void>(logged);
    end();
}

void ClientSession::end() {
    Owner* const owner = owner_;
    close();
    if (owner != nullptr) owner->session_ended(*this);
}

void ClientSession::close_for(ClosedFor reason) {
    if (owner_ != nullptr) owner_->closed_for(reason, *this);
    end();
}

/// Must not call the client back, which is in the middle of an operation.
void ClientSession::client_changed() {
    if (!client_->lost().empty() && stream_->is_open()) {
        log_(LogLevel::warning,
             log_name() + " " + quoted(client_->name()) + " " + std::string{client_->lost()} + "; disconnecting it");
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
    if (owner_ != nullptr) owner_->client_refused(*this);
    linger_timer_.expires_after(kLingerTime);
    linger_timer_.async_wait([self = weak_from_this()](asio::error_code cancelled) {
        const auto alive = self.lock();
        if (!cancelled && alive && !alive->closed_) alive->end();
    });
}

std::optional<ClientSession::Clock::time_point> ClientSession::idle_since() const {
    if (closed_ || leaving_ || writing_ || client_->busy() || client_->has_subscribed()) return std::nullopt;
    return client_->introduced() ? last_active_ : started_;
}

void ClientSession::disconnect_idle(const Error& reason) {
    if (closed_ || leaving_) return;
    if (!client_->introduced()) return end();
    client_->refuse_stream(reason);
    stream_->stop_reading();
}

void ClientSession::check_time(const ServerLimits& limits, Clock::time_point now) {
    if (closed_ || leaving_) return;
    if (writing_) return check_output(limits.write_time, now);
    const auto idle = idle_since();
    if (!idle) return;
    if (!client_->introduced()) {
        if (now - *idle >= limits.hello_time) close_for(ClosedFor::hello_time);
    } else if (limits.idle_time.count() != 0 && now - *idle >= limits.idle_time) {
        disconnect_idle(Error{ErrorCode::deadline_exceeded,
                              "no request for longer than the daemon allows (--idle-timeout) and no subscription; "
                              "disconnecting",
                              {}});
    }
}

void ClientSession::check_output(std::chrono::milliseconds write_time, Clock::time_point now) {
    if (const std::uint64_t taken = stream_->bytes_taken(); taken != bytes_taken_) {
        bytes_taken_ = taken;
        last_progress_ = now;
    }
    if (now - last_progress_ >= write_time) close_for(ClosedFor::write_time);
}

/// Recognises a stranger by its first bytes, before its first message is complete.
void ClientSession::note_received(std::string_view bytes) {
    last_active_ = Clock::now();
    if (client_->introduced()) return;
    first_bytes_.append(bytes.substr(0, kRecognisedBytes - std::min(kRecognisedBytes, first_bytes_.size())));
    switch (recognise(first_bytes_)) {
        case FirstBytes::http:
            return close_for(ClosedFor::http);
        case FirstBytes::tls:
            return close_for(ClosedFor::tls);
        case FirstBytes::other:
            return close_for(ClosedFor::first_message);
        case FirstBytes::hello:
            return;
    }
}

asio::awaitable<void> ClientSession::read_requests() {
    std::vector<char> buffer(kFirstReadBytes);
    bool first = true;
    while (!closed_) {
        const bool all_decoded = decode_requests();
        if (closed_) co_return;
        if (client_->refused()) break;
        const std::size_t begun = unfinished_bytes();
        if (!all_decoded || !may_hold_more() || (begun != 0 && !client_->may_finish(begun))) {
            co_await may_read_.wait();
            continue;
        }
        asio::error_code error;
        stream_->limit_message(client_->longest_message());
        const std::size_t count = co_await stream_->read_some(buffer, error);
        if (closed_) co_return;
        if (error == asio::error::eof) {
            input_finished();
            break;
        }
        if (error) {
            log_(LogLevel::debug, log_name() + " disconnected: " + error.message());
            end();
            co_return;
        }
        const auto spending = client_->spend();
        if (std::exchange(first, false)) client_->set_certificate_name(stream_->certificate_name());
        decoder_.feed({buffer.data(), count});
        note_received({buffer.data(), count});
        if (count == buffer.size()) buffer.resize(kReadBytes);
    }
    large_messages_->leave(*this);
    input_ended_ = true;
    may_write_.raise();
}

bool ClientSession::holds_large_message() const {
    return unfinished_bytes() >= LargeMessages::kFreeBytes || client_->parsing();
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

/// Returns false if complete requests are left, for the next turn of the client.
bool ClientSession::decode_requests() {
    const auto spending = client_->spend();
    while (client_->wants_more()) {
        if (decoder_.ready() && !client_->may_run()) return false;
        const bool introduced = client_->introduced();
        const auto frame = decoder_.next(client_->longest_message());
        if (!frame && !introduced) {
            close_for(ClosedFor::first_message);
            return true;
        }
        if (!frame) {
            const std::size_t longest = client_->longest_message();
            std::string sentence = frame_error_sentence(frame.error(), longest);
            if (frame.error() == FrameError::too_long && longest < kMaximumFrameBytes)
                sentence += "; this daemon accepts no longer ones (--max-message-size)";
            client_->refuse_stream(Error{ErrorCode::invalid_argument, std::move(sentence), {}});
            return true;
        }
        if (!*frame) return true;
        if (api::PendingRequest::is_large((**frame).size())) {
            client_->receive(decoder_.claim());
        } else {
            client_->receive(**frame);
        }
        if (client_->stranger()) {
            close_for(ClosedFor::first_message);
            return true;
        }
        decoder_.free_taken();
    }
    return true;
}

void ClientSession::input_finished() {
    if (unfinished_bytes() == 0 || client_->refused()) return;
    if (!client_->introduced()) return close_for(ClosedFor::first_message);
    client_->refuse_stream(Error{
        ErrorCode::invalid_argument,
        "the stream ended within a message; only " + std::to_string(unfinished_bytes()) + " bytes of it were received",
        {}});
}

asio::awaitable<void> ClientSession::write_responses() {
    while (!closed_) {
        if (client_->outbox().empty()) {
            if (input_ended_ && client_->idle()) break;
            co_await may_write_.wait();
            continue;
        }
        if (!client_->may_finish(client_->outbox().unsent_bytes())) {
            co_await may_write_.wait();
            continue;
        }
        const std::vector<api::Outbox::Chunk> chunks = take_output();
        asio::error_code error;
        co_await write(chunks, error);
        if (closed_) co_return;
        last_active_ = Clock::now();
        if (error) {
            log_(LogLevel::debug, log_name() + " disconnected: " + error.message());
            break;
        }
        client_->outbox().sent(chunks);
        client_->output_drained();
    }
    if (!closed_ && stream_->is_open()) co_await linger();
    if (!closed_) end();
}

asio::awaitable<void> ClientSession::write(std::span<const api::Outbox::Chunk> chunks, asio::error_code& error) {
    std::vector<asio::const_buffer> buffers;
    buffers.reserve(chunks.size());
    for (const api::Outbox::Chunk& chunk : chunks) buffers.push_back(asio::buffer(chunk.bytes()));
    {
        const auto spending = client_->spend();
        skip(buffers, stream_->write_now(buffers, error));
    }
    if (error || buffers.empty()) co_return;
    writing_ = true;
    last_progress_ = Clock::now();
    co_await stream_->write(buffers, error);
    writing_ = false;
}

std::vector<api::Outbox::Chunk> ClientSession::take_output() {
    const auto spending = client_->spend();
    return client_->outbox().take(kWriteBytes);
}

/// Waits until the client has read the last response and closed its side.
asio::awaitable<void> ClientSession::linger() {
    // Also limits finish_writing(), for which a client that does not read may leave no room.
    limit_refusal();
    asio::error_code error;
    co_await stream_->finish_writing(error);
    // After a failed write read_requests() may still be reading, and a stream allows one read at a time.
    while (!error && !input_ended_ && !closed_) co_await may_write_.wait();
    if (!error && !closed_) co_await discard_input(*stream_);
    linger_timer_.cancel();
}

}  // namespace rta::net
