// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rta::net {

/// Status codes of RFC 6455 that the server sends when it ends a WebSocket.
enum class WebSocketClose : std::uint16_t {
    normal = 1000,
    protocol_error = 1002,
    not_binary = 1003,
    not_utf8 = 1007,
    policy_violation = 1008,
};

/// Turns the WebSocket frames of a client into the delimited messages of the protocol (frame/frame_codec.h): each binary
/// message becomes a length and its payload, so that a session reads a WebSocket like any other stream.
///
/// A message in one frame is passed on as it arrives. One that is fragmented is kept until its end, because only then its
/// length is known. Not thread-safe.
class WebSocketDecoder {
 public:
    /// A fragmented message that is longer is passed on as far as it has arrived: its reader refuses the length.
    void limit_message(std::size_t bytes) { longest_ = bytes; }

    static constexpr std::size_t kSmallFragment = 64;
    /// Sets how many idle frames may follow each other without a message between them: control frames, and fragments of less
    /// than kSmallFragment bytes. Unlike that of messages, their time is not counted for the client.
    void limit_idle_frames(std::uint64_t frames) { most_idle_frames_ = frames; }
    /// Returns the number of messages that are complete.
    [[nodiscard]] std::uint64_t messages() const { return messages_; }

    /// Takes received bytes, all of them unless it fails, and adds to the output.
    void feed(std::span<const char> bytes);

    /// Moves output to `into`, and returns the number of bytes.
    [[nodiscard]] std::size_t take(std::span<char> into);
    /// Returns the number of bytes that are kept: output, and parts of a fragmented message.
    [[nodiscard]] std::size_t held_bytes() const { return output_.size() - taken_ + message_.size(); }

    /// Returns the payload of the latest ping that has not been taken. Answering one of several is enough (RFC 6455, 5.5.3).
    [[nodiscard]] std::optional<std::string> take_ping() { return std::exchange(ping_, std::nullopt); }
    /// Returns the status code with which the client has closed the WebSocket. No further frame is read.
    [[nodiscard]] std::optional<std::uint16_t> closed() const { return closed_; }
    /// Returns why the WebSocket must be closed: the client violates the protocol. No further frame is read.
    [[nodiscard]] std::optional<WebSocketClose> failure() const { return failure_; }

 private:
    enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

    [[nodiscard]] std::size_t read_header(std::span<const char> bytes);
    [[nodiscard]] std::size_t read_payload(std::span<const char> bytes);
    [[nodiscard]] bool start_frame();
    [[nodiscard]] bool start_message_frame(std::uint64_t length);
    void end_frame();
    void end_control();
    void fail(WebSocketClose code) { failure_ = code; }

    std::string output_;
    std::size_t taken_ = 0;  ///< bytes at the front of output_
    std::string message_;    ///< the fragments that have arrived
    std::size_t longest_ = 0;
    std::uint64_t most_idle_frames_ = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t idle_frames_ = 0;  ///< since the last message
    std::uint64_t messages_ = 0;
    std::array<unsigned char, 14> header_{};  ///< of the frame; 14: the longest header
    std::size_t header_bytes_ = 0;
    bool in_payload_ = false;
    Opcode opcode_ = Opcode::continuation;
    bool final_ = false;
    std::uint64_t left_ = 0;  ///< bytes of the payload
    std::array<unsigned char, 4> mask_{};
    std::size_t mask_at_ = 0;
    bool in_message_ = false;  ///< the last frame of a message has not ended
    bool fragmented_ = false;  ///< the message is kept
    std::string control_;      ///< payload of a control frame
    std::optional<std::string> ping_;
    std::optional<std::uint16_t> closed_;
    std::optional<WebSocketClose> failure_;
};

/// Turns delimited messages into WebSocket frames, one for each, without copying their payloads. Not thread-safe.
class WebSocketEncoder {
 public:
    /// Returns what to send for `buffers`, which hold complete messages, from where the previous call has ended. The result
    /// refers to them and to this object, until the next call.
    [[nodiscard]] std::span<const asio::const_buffer> encode(std::span<const asio::const_buffer> buffers);
    /// Must be called with the number of bytes of the result that were sent. Returns how many bytes of `buffers` that is.
    [[nodiscard]] std::size_t sent(std::size_t bytes);
    /// Whether another frame may be sent now.
    [[nodiscard]] bool at_boundary() const { return payload_left_ == 0 && header_sent_ == 0; }

 private:
    struct Piece {
        std::size_t input;                       ///< bytes of the buffers that it stands for
        std::optional<std::uint64_t> payload{};  ///< of the frame, if it is its header
    };
    void add_header(std::uint64_t payload, std::size_t prefix_bytes, std::size_t skipped);

    std::deque<std::array<char, 10>> headers_;
    std::vector<asio::const_buffer> wire_;
    std::vector<Piece> pieces_;
    std::uint64_t payload_left_ = 0;  ///< bytes of the payload whose header has been sent
    std::size_t header_sent_ = 0;     ///< bytes of the next header
};

/// Returns a frame of a pong, or of a close with a status code.
[[nodiscard]] std::string pong_frame(std::string_view payload);
[[nodiscard]] std::string close_frame(std::uint16_t code);

/// Returns the Sec-WebSocket-Accept for a Sec-WebSocket-Key; nothing if that is not 16 bytes in base64.
[[nodiscard]] std::optional<std::string> accept_of_key(std::string_view key);

}  // namespace rta::net
