// SPDX-License-Identifier: MIT
#include "net/server.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "api/dispatcher.h"
#include "api/exception_barrier.h"
#include "net/client_session.h"
#include "net/listener.h"
#include "net/log_limiter.h"
#include "net/worker_pool.h"
#include "text/quoting.h"

namespace rta::net {
namespace {

/// Refused clients that still wait for the reason of their refusal. Beyond this number the oldest is disconnected.
constexpr std::size_t kMaximumRefused = 64;
/// Minimum interval between log lines that clients can trigger.
constexpr std::chrono::seconds kRefusalLogInterval{10};
constexpr std::chrono::seconds kFaultLogInterval{1};

}  // namespace

/// Shared with its pending handlers, which the io_context may keep after stop().
struct Server::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& context, Engine& engine, api::DaemonAccess& daemon, LogSink sink, ServerLimits given)
        : io{context},
          log{std::move(sink)},
          limits{given},
          workers{context},
          dispatcher{engine, daemon, workers},
          large_messages{std::make_shared<LargeMessages>(context.get_executor(), given.large_message_time)},
          poll_timer{context} {}

    void start();
    void stop();
    void listen(ListeningSocket socket);
    void serve(std::unique_ptr<ByteStream> stream, std::string address, const std::string& listener);
    void poll_engine();
    void remove(const ClientSession* session);
    void refuse(api::Client& client, const std::string& listener);
    void limit_refused_sessions();
    void node_faulted(const std::string& node);
    void failed(const Error& error);

    asio::io_context& io;
    LogSink log;
    ServerLimits limits;
    WorkerPool workers;
    api::Dispatcher dispatcher;
    std::shared_ptr<LargeMessages> large_messages;
    asio::steady_timer poll_timer;
    std::chrono::microseconds poll_interval{0};
    std::vector<std::shared_ptr<Listener>> listeners;
    std::vector<std::shared_ptr<ClientSession>> sessions;
    std::uint64_t session_number = 0;
    LogLimiter refusals{kRefusalLogInterval};
    LogLimiter faults{kFaultLogInterval};
    LogLimiter failures{kFaultLogInterval};
    bool holding = false;
    bool stopped = false;
};

void Server::Impl::start() {
    dispatcher.on_busy([this] {
        if (dispatcher.interval() < poll_interval) poll_timer.cancel();
    });
    dispatcher.on_node_fault([this](const std::string& node) { node_faulted(node); });
    poll_engine();
}

void Server::Impl::stop() {
    if (std::exchange(stopped, true)) return;
    dispatcher.on_busy(nullptr);
    dispatcher.on_node_fault(nullptr);
    poll_timer.cancel();
    for (const auto& listener : std::exchange(listeners, {})) listener->close();
    for (const auto& session : std::exchange(sessions, {})) session->close();
    dispatcher.release_engine();
    workers.stop();
    log = nullptr;
}

void Server::Impl::poll_engine() {
    poll_interval = dispatcher.interval();
    poll_timer.expires_after(poll_interval);
    poll_timer.async_wait([self = shared_from_this()](const asio::error_code&) {
        if (self->stopped) return;
        const auto polled = api::guarded("polling the engine", [&] { self->dispatcher.tick(); });
        if (!polled) self->failed(polled.error());
        if (!self->stopped) self->poll_engine();
    });
}

void Server::Impl::listen(ListeningSocket socket) {
    const auto listener = listeners.emplace_back(std::make_shared<Listener>(std::move(socket), log));
    log(LogLevel::info, "listening on " + listener->name());
    if (holding) listener->hold();
    // `this` and `raw` are valid: stop() closes the listener, which then drops the handler.
    listener->start([this, raw = listener.get()](StreamSocket client) {
        const auto served = api::guarded("accepting a client", [&] {
            Listener::Accepted accepted = raw->take(std::move(client));
            serve(std::move(accepted.stream), std::move(accepted.address), raw->name());
        });
        if (!served) failed(served.error());
    });
}

void Server::Impl::serve(std::unique_ptr<ByteStream> stream, std::string address, const std::string& listener) {
    const auto client = dispatcher.connect(std::move(address));
    const auto session =
        std::make_shared<ClientSession>(io.get_executor(), std::move(stream), client, large_messages,
                                        "client " + std::to_string(++session_number) + " on " + listener, log);
    sessions.push_back(session);
    if (dispatcher.client_count() > limits.clients) refuse(*client, listener);
    limit_refused_sessions();
    session->start(limits.hello_time, [this, raw = session.get()] { remove(raw); });
}

void Server::Impl::refuse(api::Client& client, const std::string& listener) {
    const std::string limit = "limit of " + std::to_string(limits.clients) + " clients reached";
    if (const auto unlogged = refusals.due(std::chrono::steady_clock::now())) {
        log(LogLevel::warning, "refused a client on " + listener + ": " + limit +
                                   (*unlogged == 0 ? "" : " (and " + std::to_string(*unlogged) + " more before it)"));
    }
    client.refuse_stream(Error{ErrorCode::resource_exhausted, limit + "; try again later", {}});
}

/// Refused clients no longer count as clients, and must not exhaust the resources of other clients.
void Server::Impl::limit_refused_sessions() {
    if (sessions.size() - dispatcher.client_count() <= kMaximumRefused) return;
    const auto oldest = std::ranges::find_if(sessions, [](const auto& session) { return session->refused(); });
    if (oldest == sessions.end()) return;
    const auto session = std::move(*oldest);
    sessions.erase(oldest);
    session->close();
}

void Server::Impl::node_faulted(const std::string& node) {
    const auto unlogged = faults.due(std::chrono::steady_clock::now());
    if (!unlogged) return;
    log(LogLevel::warning,
        "node " + quoted(node) + " produced NaN or infinity; it is silent until it has been rebuilt" +
            (*unlogged == 0 ? "" : " (and " + std::to_string(*unlogged) + " more faults before it)"));
}

/// Logs an error after which the daemon continues.
void Server::Impl::failed(const Error& error) {
    if (!failures.due(std::chrono::steady_clock::now())) return;
    const auto logged = api::guarded("logging a failure", [&] { log(LogLevel::error, error.sentence); });
    static_cast<void>(logged);
}

void Server::Impl::remove(const ClientSession* session) {
    std::erase_if(sessions, [&](const auto& other) { return other.get() == session; });
}

Server::Server(asio::io_context& io, Engine& engine, api::DaemonAccess& daemon, LogSink log, ServerLimits limits) {
    if (!log) log = [](LogLevel, std::string_view) {};
    // protobuf would write to stderr about invalid UTF-8; the client receives an error instead.
    google::protobuf::SetLogHandler(nullptr);
    impl_ = std::make_shared<Impl>(io, engine, daemon, std::move(log), limits);
    impl_->start();
}

Server::~Server() { impl_->stop(); }

Expected<std::string> Server::listen_tcp(std::string_view address) {
    auto socket = net::listen_tcp(impl_->io, address);
    if (!socket) return std::unexpected(std::move(socket.error()));
    std::string name = socket->name;
    impl_->listen(std::move(*socket));
    return name;
}

Expected<void> Server::listen_unix(const std::string& path, SocketAccess access) {
    auto socket = net::listen_unix(impl_->io, path, access);
    if (!socket) return std::unexpected(std::move(socket.error()));
    impl_->listen(std::move(*socket));
    return {};
}

void Server::serve(std::unique_ptr<ByteStream> stream, std::string address) {
    const std::string listener = address;
    impl_->serve(std::move(stream), std::move(address), listener);
}

void Server::hold_clients() {
    impl_->holding = true;
    for (const auto& listener : impl_->listeners) listener->hold();
}

void Server::welcome_clients() {
    impl_->holding = false;
    for (const auto& listener : impl_->listeners) listener->release();
}

void Server::device_changed(const DeviceStatus& device) { impl_->dispatcher.device_changed(device); }

void Server::xruns(const XrunCounts& counts, std::uint64_t frame) { impl_->dispatcher.xruns(counts, frame); }

void Server::fade_out(float length_ms, std::function<void()> done) {
    impl_->dispatcher.fade_out(length_ms, std::move(done));
}

void Server::stop() { impl_->stop(); }

std::size_t Server::client_count() const { return impl_->dispatcher.client_count(); }

const std::string& Server::instance_id() const { return impl_->dispatcher.hub().instance_id(); }

}  // namespace rta::net
