// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/host.h"
#include "engine/engine.h"
#include "net/listen.h"
#include "text/error.h"

namespace asio {
class io_context;
}

namespace rta::api {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
/// Takes one line, without a newline at its end. [control]
using LogSink = std::function<void(LogLevel, std::string_view)>;

struct ServerLimits {
    std::size_t clients = 512;  ///< those beyond are told RESOURCE_EXHAUSTED and closed
    /// Who has not said hello by then is told DEADLINE_EXCEEDED and closed: it only takes a place.
    std::chrono::milliseconds hello_time{10'000};
};

/// The protocol over TCP and Unix sockets: sessions, dispatcher, events, and the polling of the engine. [control]
///
///     asio::io_context io;
///     api::Server server{io, engine, host, [](api::LogLevel level, std::string_view line) { ... }};
///     if (auto bound = server.listen_tcp("127.0.0.1:7340"); !bound) { print(bound.error().sentence); return 2; }
///     if (auto bound = server.listen_unix(path); !bound) ...
///     server.hold_clients();                     // until the device runs: then server.welcome_clients()
///     io.run();                                  // one thread: the control thread
///     // on SIGTERM, in io:
///     server.fade_out(kDeviceFadeMs, [&] { server.stop(); io.stop(); });   // and a timer, should no block run
///
/// From its constructor to stop() the server alone calls engine.poll(), from within `io`. Before, and between calls of
/// io.run(), the caller may use the engine directly (--graph). `engine` and `host` outlive the server. `io` outlives it
/// too, and must not run on several threads.
class Server {
 public:
    Server(asio::io_context& io, Engine& engine, Host& host, LogSink log, ServerLimits limits = {});
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    /// stop(), if that has not been called.
    ~Server();

    /// Listens on `HOST:PORT`: an IPv4 address, an IPv6 address in brackets ("[::1]:7340"), or a name, of which the
    /// first IPv4 address is taken, else the first IPv6 one. Port 0: the system chooses.
    /// Returns the address with its real port, "127.0.0.1:7340".
    ///
    /// Errors: INVALID_ARGUMENT what is no HOST:PORT; NOT_FOUND a name without an address; PERMISSION_DENIED anything
    /// but loopback (there is no TLS and there are no tokens yet), or a port that this user may not open;
    /// ALREADY_EXISTS an address in use; UNAVAILABLE whatever else the system says. All of them are configuration:
    /// `rtad` exits with 2. The sentence names the address.
    Expected<std::string> listen_tcp(std::string_view address);

    /// Listens on a Unix socket. The last folder of `path` is made if it is not there, with mode 0700; the socket gets
    /// 0600: only this user (and root) may control the daemon. SocketAccess::group gives it 0660: then whoever belongs
    /// to the daemon's group, and may enter the folder, may control it too. A socket file on which nobody listens is
    /// replaced. stop() removes the file if it is still ours.
    ///
    /// Errors, which are configuration too: INVALID_ARGUMENT a path that is too long for a socket; ALREADY_EXISTS
    /// another daemon listens there, or the path is no socket; PERMISSION_DENIED; UNAVAILABLE. Only DEADLINE_EXCEEDED
    /// is not: somebody holds the folder locked, and may be gone in a moment.
    Expected<void> listen_unix(const std::string& path, SocketAccess access = SocketAccess::owner);

    /// Clients that connect from now on wait in the system's queue until welcome_clients(): before there is a device an
    /// edit cannot be heard, and nobody could be told how many channels there are.
    void hold_clients();
    void welcome_clients();

    /// The device that drives the engine was lost or replaced: tells every subscriber.
    void device_changed(const DeviceStatus& device);

    /// The device broke up: since the last call, the latest of them at `frame` of the engine's clock.
    void xruns(const XrunCounts& counts, std::uint64_t frame);

    /// Fades the device output to silence and calls `done`, in `io`, when the fade has ended. That takes a device that
    /// runs: set a timer beside it. RESOURCE_EXHAUSTED from the engine is retried until it has room.
    void fade_out(float length_ms, std::function<void()> done);

    /// Closes every listener and session, and waits for the worker threads. Nothing is called back any more. The engine
    /// may be destroyed afterwards.
    void stop();

    /// Clients connected at this moment.
    [[nodiscard]] std::size_t client_count() const;

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace rta::api
