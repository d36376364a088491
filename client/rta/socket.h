// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "rta/deadline.h"
#include "rta/endpoint.h"

namespace rta::client {

/// A connected stream socket that never blocks except in wait(). Owns its descriptor.
class Socket {
 public:
    /// Looks the name up and tries its addresses in turn. The error says why the last of them did not answer.
    [[nodiscard]] static std::expected<Socket, std::string> connect(const Endpoint& endpoint, const Deadline& deadline);

    Socket() = default;
    explicit Socket(int descriptor) : descriptor_{descriptor} {}
    Socket(Socket&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
    Socket& operator=(Socket&& other) noexcept {
        if (this != &other) {
            close();
            descriptor_ = std::exchange(other.descriptor_, -1);
        }
        return *this;
    }
    ~Socket() { close(); }

    void close() noexcept;
    [[nodiscard]] int descriptor() const { return descriptor_; }

    /// What wait() found.
    struct Readiness {
        bool readable = false;
        bool writable = false;
        bool interrupted = false;  ///< `interrupt_descriptor` is readable
    };
    /// Waits until there is something to read, until the socket takes bytes (if `for_writing`), or until
    /// `interrupt_descriptor` is readable (-1: none). All false: the deadline passed.
    [[nodiscard]] Readiness wait(bool for_writing, const Deadline& deadline, int interrupt_descriptor) const;

    /// How a read or write went. `count` bytes moved; 0 without `closed`: try again after wait().
    struct Transfer {
        std::size_t count = 0;
        bool closed = false;  ///< the other side is gone; `reason` says how
        std::string reason{};
    };
    [[nodiscard]] Transfer read(std::span<char> bytes) const;
    [[nodiscard]] Transfer write(std::string_view bytes) const;

 private:
    int descriptor_ = -1;
};

}  // namespace rta::client
