// SPDX-License-Identifier: MIT
#pragma once

#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "api/entry.h"
#include "net/listen.h"
#include "net/log.h"
#include "net/socket_stream.h"

namespace rta::net {

/// Accepts clients on one listening socket, one after the other, until it is closed. [control]
class Listener final : public std::enable_shared_from_this<Listener> {
 public:
    /// A client that has connected.
    struct Accepted {
        std::unique_ptr<ByteStream> stream;
        /// With HOST:PORT of the client, or the path of the Unix socket; empty if it has disconnected.
        api::Entry entry;
    };
    using Handler = std::function<void(StreamSocket)>;

    Listener(ListeningSocket socket, LogSink log);

    /// Calls `handler`, which must not throw, for every client.
    void start(Handler handler);
    /// Leaves new clients in the system's queue until release() is called.
    void hold();
    void release();
    void close();

    /// Prepares a socket that `handler` received for the server. May throw.
    [[nodiscard]] Accepted take(StreamSocket client) const;

    [[nodiscard]] const std::string& name() const { return socket_.name; }

 private:
    [[nodiscard]] api::Entry entry_of(StreamSocket& client) const;
    void accept_next();
    void completed(const asio::error_code& error, StreamSocket client);
    void retry_later(const asio::error_code& error);
    void log_failure(const asio::error_code& error) const;

    ListeningSocket socket_;
    LogSink log_;
    asio::steady_timer retry_timer_;
    Handler handler_;
    bool pending_ = false;  ///< an accept, or the pause after a failed one
    bool failing_ = false;  ///< the last accept failed, and this has been logged
    bool held_ = false;
    bool closed_ = false;
};

}  // namespace rta::net
