// SPDX-License-Identifier: MIT
#pragma once

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace rta::net {

/// The stream of bytes to and from one client: a socket, or a protocol such as TLS or WebSocket over a socket.
///
/// ClientSession knows its client only through this class. A transport that needs a handshake performs it in its first
/// read or write, so that accepting other clients does not wait for it. At most one read and one write are pending at
/// a time. All calls are made, and complete, on the control thread; the caller owns the stream and keeps it until its
/// pending operations have completed. [control]
class ByteStream {
 public:
    ByteStream() = default;
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;
    virtual ~ByteStream() = default;

    /// Waits for input and returns the number of bytes read. `error` is asio::error::eof after the last byte, and any other
    /// error if the stream is broken or closed. 0 without an error: the transport has received something that is no byte of
    /// the stream yet.
    [[nodiscard]] virtual asio::awaitable<std::size_t> read_some(std::span<char> into, asio::error_code& error) = 0;

    /// Sets how long a message may be whose length the transport learns only at its end.
    virtual void limit_message(std::size_t /*bytes*/) {}
    /// Returns the number of bytes that the transport has received and not yet returned.
    [[nodiscard]] virtual std::size_t held_bytes() const { return 0; }

    /// Writes what can be written without waiting, and returns the number of bytes. A transport that writes elsewhere than
    /// on the control thread returns 0. No write may be pending.
    [[nodiscard]] virtual std::size_t write_now(std::span<const asio::const_buffer> /*buffers*/,
                                                asio::error_code& /*error*/) {
        return 0;
    }
    /// Writes all of `buffers`, which stay valid until the write completes, and returns the number of bytes written.
    [[nodiscard]] virtual asio::awaitable<std::size_t> write(std::span<const asio::const_buffer> buffers,
                                                             asio::error_code& error) = 0;

    /// Returns the number of bytes that the client's side has taken of all writes so far. A transport may count a write
    /// when it completes, or also while it is pending.
    [[nodiscard]] virtual std::uint64_t bytes_taken() const { return 0; }

    /// Signals the end of the output to the client. The client may still send.
    [[nodiscard]] virtual asio::awaitable<void> finish_writing(asio::error_code& error) = 0;

    /// Ends the input: a pending read and all later ones return what was received and then eof.
    virtual void stop_reading() = 0;

    /// Returns the name in the certificate that the client has presented; empty if it has none. Valid after the first
    /// read.
    [[nodiscard]] virtual std::string certificate_name() const { return {}; }

    /// Closes the stream immediately. Pending operations complete with an error.
    virtual void close() = 0;
    [[nodiscard]] virtual bool is_open() const = 0;
};

/// Reads and discards what the client still sends, until it has closed its side: closing a socket that holds unread input
/// would discard the output that is still in transit. Gives up after kMostDiscardedBytes, so that a client cannot keep the
/// control thread busy.
[[nodiscard]] asio::awaitable<void> discard_input(ByteStream& stream);
inline constexpr std::size_t kMostDiscardedBytes = std::size_t{64} << 10U;

}  // namespace rta::net
