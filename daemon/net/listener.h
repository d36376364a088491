// SPDX-License-Identifier: MIT
#pragma once

#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/entry.h"
#include "net/listen.h"
#include "net/log.h"
#include "net/log_limiter.h"
#include "net/socket_stream.h"
#include "net/tls_network.h"

namespace rta::net {

/// Accepts clients on one listening socket, one after the other, until it is closed. [control]
class Listener final : public std::enable_shared_from_this<Listener> {
 public:
    /// A client that has connected.
    struct Accepted {
        std::unique_ptr<ByteStream> stream;
        api::Entry entry;
    };
    using Handler = std::function<void(StreamSocket)>;

    /// `tls` is null unless socket.tls is set.
    Listener(ListeningSocket socket, std::shared_ptr<TlsNetwork> tls, LogSink log);

    /// Calls `handler`, which must not throw, for every client.
    void start(Handler handler);
    /// Leaves new clients in the system's queue until release() is called.
    void hold();
    void release();
    void close();

    /// Returns how a client has come in. Its address is HOST:PORT, or the path of the Unix socket; empty if it has
    /// disconnected. Allocates little: called before it is known whether the client may stay.
    [[nodiscard]] api::Entry identify(StreamSocket& client) const;
    /// Returns the IP address of this machine at which a client has connected; empty for a Unix socket.
    [[nodiscard]] static std::string local_address(const StreamSocket& client);
    /// Prepares a socket that `handler` received for the server. May throw.
    [[nodiscard]] Accepted take(StreamSocket client, api::Entry entry);

    [[nodiscard]] const std::string& name() const { return socket_.name; }
    [[nodiscard]] bool encrypted() const { return socket_.tls; }
    /// Returns nullopt for a Unix socket.
    [[nodiscard]] std::optional<asio::ip::tcp::endpoint> tcp_endpoint() const;

 private:
    void accept_next();
    void completed(const asio::error_code& error, StreamSocket client);
    void retry_later(const asio::error_code& error);
    void log_failure(const asio::error_code& error) const;
    [[nodiscard]] std::unique_ptr<ByteStream> stream_over(StreamSocket client, const api::Entry& entry);
    void handshake_failed(const std::string& address, const asio::error_code& error);

    ListeningSocket socket_;
    const std::shared_ptr<TlsNetwork> tls_;
    LogSink log_;
    LogLimiter failed_handshakes_{std::chrono::seconds{10}};
    asio::steady_timer retry_timer_;
    Handler handler_;
    bool pending_ = false;  ///< an accept, or the pause after a failed one
    bool failing_ = false;  ///< the last accept failed, and this has been logged
    bool held_ = false;
    bool closed_ = false;
};

}  // namespace rta::net
