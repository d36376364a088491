// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "rta/deadline.h"

namespace rta::client {

/// The stream of bytes to and from a daemon: a socket, or a protocol such as TLS or WebSocket over a socket. Only
/// wait() blocks. Not thread-safe.
class ByteStream {
 public:
    ByteStream() = default;
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;
    virtual ~ByteStream() = default;

    struct Readiness {
        bool readable = false;
        bool writable = false;
        bool interrupted = false;  ///< the interrupt descriptor is readable
    };
    /// Waits until read() has bytes or an error to return, until write() accepts bytes (only if `for_writing`), or
    /// until `interrupt_descriptor` is readable (-1: none). If all are false, the deadline has passed.
    [[nodiscard]] virtual Readiness wait(bool for_writing, const Deadline& deadline, int interrupt_descriptor) = 0;

    /// The result of a read or write. If `count` is 0 and `closed` is false, no byte could be moved: call wait() again.
    struct Transfer {
        std::size_t count = 0;             ///< bytes moved
        bool closed = false;               ///< the stream has ended
        std::string reason{};              ///< why it has ended
        bool refused_certificate = false;  ///< the daemon has ended it because of the certificate of this client
    };
    [[nodiscard]] virtual Transfer read(std::span<char> into) = 0;
    [[nodiscard]] virtual Transfer write(std::string_view bytes) = 0;

    /// Returns the descriptor of the socket, for an event loop: if it is neither readable nor writable, and read() or
    /// write() has just moved no byte, neither can move one. Valid until close().
    [[nodiscard]] virtual int descriptor() const noexcept = 0;

    /// Returns whether bytes that write() has taken wait until the descriptor is writable. read() and write() send them.
    [[nodiscard]] virtual bool holds_output() const noexcept { return false; }

    virtual void close() noexcept = 0;
};

}  // namespace rta::client
