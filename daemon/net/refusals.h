// SPDX-License-Identifier: MIT
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "net/byte_stream.h"
#include "text/error.h"

namespace rta::net {

/// Connections that did not get a place. Each receives the reason, reads it within a second, and is closed. They take
/// less memory than a client, and at most kMost of them exist: then the oldest is closed. [control]
class Refusals {
 public:
    static constexpr std::size_t kMost = 64;

    explicit Refusals(const asio::any_io_executor& executor) : executor_{executor} {}
    Refusals(const Refusals&) = delete;
    Refusals& operator=(const Refusals&) = delete;
    ~Refusals() { close(); }

    void add(std::unique_ptr<ByteStream> stream, const Error& reason);
    /// Closes all connections. Call it before the end of the executor.
    void close();

 private:
    struct Connection;
    static asio::awaitable<void> send_reason(std::shared_ptr<Connection> connection);

    asio::any_io_executor executor_;
    std::deque<std::weak_ptr<Connection>> connections_;
};

}  // namespace rta::net
