// SPDX-License-Identifier: MIT
#include "net/web/websocket_stream.h"

#include <array>
#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "net/condition.h"
#include "net/web/websocket_frames.h"

namespace rta::net {
namespace {

/// Time that a client has to read why its WebSocket is closed.
constexpr std::chrono::seconds kLastTime{1};
/// Pause after a read without a byte of a message. A client that sends nothing but pings, or empty fragments, must not keep
/// the control thread busy: unlike requests, they are not counted for it.
constexpr std::chrono::milliseconds kEmptyPause{1};
/// Idle frames of a client that sends no message: this many together, and one more in each interval. Browsers send none.
constexpr std::uint64_t kIdleFrames = 256;
constexpr std::chrono::milliseconds kIdleFrameInterval{100};
constexpr std::size_t kReadBytes = std::size_t{16} << 10U;

class WebSocketStream final : public ByteStream {
 public:
    using Clock = std::chrono::steady_clock;

    WebSocketStream(const asio::any_io_executor& executor, std::unique_ptr<ByteStream> inner, std::string received)
        : inner_{std::move(inner)},
          received_{std::move(received)},
          free_{executor},
          last_timer_{executor},
          pause_{executor} {}

    asio::awaitable<std::size_t> read_some(std::span<char> into, asio::error_code& error) override;
    std::size_t write_now(std::span<const asio::const_buffer> buffers, asio::error_code& error) override;
    asio::awaitable<std::size_t> write(std::span<const asio::const_buffer> buffers, asio::error_code& error) override;
    asio::awaitable<void> finish_writing(asio::error_code& error) override;

    void limit_message(std::size_t bytes) override { decoder_.limit_message(bytes); }
    [[nodiscard]] std::size_t held_bytes() const override { return decoder_.held_bytes(); }
    [[nodiscard]] std::uint64_t bytes_taken() const override { return inner_->bytes_taken(); }
    [[nodiscard]] std::string certificate_name() const override { return inner_->certificate_name(); }
    void stop_reading() override { inner_->stop_reading(); }
    void close() override {
        inner_->close();
        pause_.cancel();
        free_.raise();
    }
    [[nodiscard]] bool is_open() const override { return inner_->is_open(); }

 private:
    asio::awaitable<void> receive(asio::error_code& error);
    void feed(std::span<const char> bytes);
    asio::awaitable<void> answer_ping(asio::error_code& error);
    asio::awaitable<void> end(WebSocketClose reason);
    asio::awaitable<void> write_frame(std::string frame, asio::error_code& error);
    asio::awaitable<void> write_pong(asio::error_code& error);
    asio::awaitable<void> lock_writing();
    void unlock_writing() {
        writing_ = false;
        free_.raise();
    }

    std::shared_ptr<ByteStream> inner_;  ///< shared with the timer
    std::string received_;               ///< with the handshake
    WebSocketDecoder decoder_;
    WebSocketEncoder encoder_;
    Clock::time_point last_message_ = Clock::now();  ///< when a message was complete
    std::uint64_t messages_ = 0;                     ///< by then
    std::string pong_;                               ///< a frame to send; empty: none
    Condition free_;                                 ///< writing_ has become false
    asio::steady_timer last_timer_;
    asio::steady_timer pause_;
    bool writing_ = false;
    bool ended_ = false;  ///< a close frame was sent, or is being sent: no frame may follow
};

/// Waits for bytes of the client, and gives them to the decoder.
asio::awaitable<void> WebSocketStream::receive(asio::error_code& error) {
    if (!received_.empty()) {
        feed(std::exchange(received_, {}));
        co_return;
    }
    std::vector<char> bytes(kReadBytes);
    const std::size_t count = co_await inner_->read_some(bytes, error);
    if (!error) feed(std::span{bytes}.first(count));
}

void WebSocketStream::feed(std::span<const char> bytes) {
    const Clock::time_point now = Clock::now();
    if (std::exchange(messages_, decoder_.messages()) != decoder_.messages()) last_message_ = now;
    decoder_.limit_idle_frames(kIdleFrames + static_cast<std::uint64_t>((now - last_message_) / kIdleFrameInterval));
    decoder_.feed(bytes);
}

asio::awaitable<std::size_t> WebSocketStream::read_some(std::span<char> into, asio::error_code& error) {
    error = {};
    std::size_t held = decoder_.held_bytes();
    if (const std::size_t count = decoder_.take(into); count != 0) co_return count;
    if (!decoder_.failure() && !decoder_.closed()) {
        co_await receive(error);
        if (!error) co_await answer_ping(error);
        if (error) co_return 0;
    }
    if (const std::size_t count = decoder_.take(into); count != 0) co_return count;
    if (decoder_.failure()) {
        if (!ended_) co_await end(*decoder_.failure());
        error = std::make_error_code(std::errc::protocol_error);
    } else if (decoder_.closed()) {
        error = asio::error::eof;
    } else if (decoder_.held_bytes() == held) {
        pause_.expires_after(kEmptyPause);
        asio::error_code ignored;
        co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_return 0;
}

/// A write that is pending, or a message of which a part was sent, comes first: write() sends the pong behind it.
asio::awaitable<void> WebSocketStream::answer_ping(asio::error_code& error) {
    const auto ping = decoder_.take_ping();
    if (!ping || ended_) co_return;
    pong_ = pong_frame(*ping);
    if (writing_ || !encoder_.at_boundary()) co_return;
    writing_ = true;
    co_await write_pong(error);
    unlock_writing();
}

asio::awaitable<void> WebSocketStream::write_frame(std::string frame, asio::error_code& error) {
    const std::array<asio::const_buffer, 1> buffers{asio::buffer(frame)};
    co_await inner_->write(buffers, error);
}

asio::awaitable<void> WebSocketStream::write_pong(asio::error_code& error) {
    std::string frame = std::exchange(pong_, {});
    co_await write_frame(std::move(frame), error);
}

asio::awaitable<void> WebSocketStream::lock_writing() {
    while (writing_ && inner_->is_open()) co_await free_.wait();
    writing_ = true;
}

std::size_t WebSocketStream::write_now(std::span<const asio::const_buffer> buffers, asio::error_code& error) {
    if (writing_ || ended_) return 0;
    return encoder_.sent(inner_->write_now(encoder_.encode(buffers), error));
}

asio::awaitable<std::size_t> WebSocketStream::write(std::span<const asio::const_buffer> buffers,
                                                    asio::error_code& error) {
    co_await lock_writing();
    if (ended_ || !inner_->is_open()) {
        unlock_writing();
        error = asio::error::operation_aborted;
        co_return 0;
    }
    const std::span<const asio::const_buffer> wire = encoder_.encode(buffers);
    const std::size_t sent = co_await inner_->write(wire, error);
    const std::size_t written = encoder_.sent(sent);
    if (!error && !pong_.empty()) co_await write_pong(error);
    unlock_writing();
    co_return written;
}

asio::awaitable<void> WebSocketStream::finish_writing(asio::error_code& error) {
    co_await lock_writing();
    if (std::exchange(ended_, true)) {
        error = asio::error::operation_aborted;
    } else {
        const auto code = decoder_.closed().value_or(static_cast<std::uint16_t>(WebSocketClose::normal));
        std::string frame = close_frame(code);
        co_await write_frame(std::move(frame), error);
        if (!error) co_await inner_->finish_writing(error);
    }
    unlock_writing();
}

/// Closes the WebSocket because of what the client has sent, and waits until it has read the reason. A frame must not
/// interrupt another one: then the connection ends without it.
asio::awaitable<void> WebSocketStream::end(WebSocketClose reason) {
    ended_ = true;
    if (writing_ || !encoder_.at_boundary()) co_return;
    writing_ = true;
    last_timer_.expires_after(kLastTime);
    last_timer_.async_wait([weak = std::weak_ptr{inner_}](const asio::error_code& cancelled) {
        const auto late = weak.lock();
        if (!cancelled && late) late->close();
    });
    asio::error_code error;
    std::string frame = close_frame(static_cast<std::uint16_t>(reason));
    co_await write_frame(std::move(frame), error);
    if (!error) co_await inner_->finish_writing(error);
    if (!error) co_await discard_input(*inner_);
    last_timer_.cancel();
    unlock_writing();
}

}  // namespace

std::unique_ptr<ByteStream> make_websocket_stream(const asio::any_io_executor& executor,
                                                  std::unique_ptr<ByteStream> inner, std::string received) {
    return std::make_unique<WebSocketStream>(executor, std::move(inner), std::move(received));
}

}  // namespace rta::net
