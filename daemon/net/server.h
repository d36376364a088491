// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/daemon_access.h"
#include "api/entry.h"
#include "engine/engine.h"
#include "net/address.h"
#include "net/limits.h"
#include "net/log.h"
#include "net/tls_context.h"
#include "net/tls_limits.h"
#include "net/web/web_options.h"
#include "status/status.h"
#include "text/error.h"

namespace asio {
class io_context;
}

namespace rta::api {
class ChangeLog;
class Confirmation;
class History;
class Scenes;
}  // namespace rta::api

namespace rta::net {

class ByteStream;

/// Serves the protocol to clients on TCP and Unix sockets, and polls the engine. [control]
///
///     asio::io_context io;
///     net::Server server{io, engine, daemon, [](net::LogLevel level, std::string_view line) { ... }};
///     if (auto bound = server.listen_tcp("127.0.0.1:7340"); !bound) { print(bound.error().sentence); return 2; }
///     if (auto bound = server.listen_unix(path); !bound) ...
///     server.hold_clients();                     // until the device runs, then server.welcome_clients()
///     io.run();                                  // on one thread, the control thread
///     // on SIGTERM, in io:
///     server.fade_out(kDeviceFadeMs, [&] { server.stop(); io.stop(); });   // and a timer, if no block is rendered
///
/// From construction to stop() only the server calls engine.poll(), from handlers of `io`. Before io.run() and between
/// calls of it, the caller may use the engine directly (--graph). `io`, `engine` and `daemon` must outlive the server.
/// `io` must run on one thread only.
class Server {
 public:
    Server(asio::io_context& io, Engine& engine, api::DaemonAccess& daemon, LogSink log, ServerLimits limits = {});
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    /// Calls stop().
    ~Server();

    /// Sets the certificate for the TLS addresses that are opened afterwards. Starts two threads. Call it at most once.
    void use_tls(std::shared_ptr<const TlsContext> context, TlsLimits limits = {});

    /// Listens on `HOST:PORT` or `tls://HOST:PORT`, where HOST is an IPv4 address, an IPv6 address in brackets ("[::1]:7340"), or a name.
    /// A name stands for its first IPv4 address, or its first IPv6 address if it has no IPv4 address. With port 0 the
    /// system chooses a port. Returns the address with the actual port, "127.0.0.1:7340".
    ///
    /// Loopback addresses without the prefix are not encrypted. All others use TLS, and require use_tls() before.
    ///
    /// Errors, whose sentences name the address: INVALID_ARGUMENT if it is not HOST:PORT; NOT_FOUND if the name
    /// cannot be resolved; PERMISSION_DENIED if it uses TLS and no certificate exists, or if the user may not open
    /// the port; ALREADY_EXISTS if the address is in use, also by another address of this server; UNAVAILABLE for other system errors. All are configuration
    /// errors, for which `rtad` exits with status 2.
    Expected<std::string> listen_tcp(std::string_view address);

    /// Listens on a Unix socket. Creates the last folder of `path`, with mode 0700, if it does not exist, and replaces
    /// a stale socket file. With SocketAccess::owner, only this user and root may connect. With SocketAccess::group,
    /// members of the daemon's group that may enter the folder may connect too. stop() removes the socket file, unless
    /// it has been replaced.
    ///
    /// Errors: INVALID_ARGUMENT if `path` is too long for a socket; ALREADY_EXISTS if another process listens there or
    /// if the file is not a socket; PERMISSION_DENIED; UNAVAILABLE. These are configuration errors. DEADLINE_EXCEEDED
    /// is not: another process holds a lock on the folder, perhaps for a short time.
    Expected<void> listen_unix(const std::string& path, SocketAccess access = SocketAccess::owner);

    /// Serves HTTP/1.1 on `HOST:PORT` or `tls://HOST:PORT`, as listen_tcp() listens: the files of the page, and at /socket a
    /// WebSocket whose binary messages are those of the protocol, one in each, without a length. Its clients have come in as
    /// on TCP or TLS, and share places and limits with them. Every request must name the server in Host, and in Origin if it
    /// has one. Reads the page from the disk; without it, the server says in its answers what is missing. Call it at most
    /// once. Returns the address of the page, "http://localhost:8080/". Errors: see listen_tcp().
    Expected<std::string> listen_web(std::string_view address, WebOptions options);

    /// Serves one client on a stream that is already connected, if it may come in.
    void serve(std::unique_ptr<ByteStream> stream, api::Entry entry);

    /// Leaves new clients in the system's queue until welcome_clients() is called. Before the device is open, edits
    /// cannot take effect and the number of channels is unknown.
    void hold_clients();
    void welcome_clients();

    /// Notifies all subscribers that the device has been lost or replaced.
    void device_changed(const DeviceStatus& device);

    /// Reports the dropouts since the previous call; the latest was at `frame` of the engine's clock.
    void xruns(const XrunCounts& counts, std::uint64_t frame);

    /// Fades the device output to silence and then calls `done` from `io`. Set a timer as well: without a running
    /// device the fade never ends. Retries while the engine returns RESOURCE_EXHAUSTED.
    void fade_out(float length_ms, std::function<void()> done);

    /// Closes all listeners and sessions and waits for the worker threads. No callback is called afterwards, and the
    /// engine may be destroyed.
    void stop();

    /// Returns the metrics of the daemon in the OpenMetrics format, for peers that may read.
    [[nodiscard]] std::string metrics() const;

    /// Returns the number of connected clients, without refused ones.
    [[nodiscard]] std::size_t client_count() const;

    /// Returns the history, which may be restored before the first client is served.
    [[nodiscard]] api::History& history();
    /// Returns what records changes for the DaemonAccess.
    [[nodiscard]] api::ChangeLog& changes();
    /// Returns the scenes, which may be restored before the first client is served.
    [[nodiscard]] api::Scenes& scenes();

    /// Returns the edit that waits for its confirmation, which may be restored before the first client is served.
    [[nodiscard]] api::Confirmation& confirmation();

    /// Returns the id of this run of the daemon, as in HelloResult.
    [[nodiscard]] const std::string& instance_id() const;

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace rta::net
