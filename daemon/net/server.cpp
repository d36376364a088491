// SPDX-License-Identifier: MIT
#include "net/server.h"

#include <google/protobuf/stubs/logging.h>
#include <unistd.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "api/dispatcher.h"
#include "api/exception_barrier.h"
#include "net/admission.h"
#include "net/client_session.h"
#include "net/connection_log.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "net/log_limiter.h"
#include "net/refusals.h"
#include "net/tls_network.h"
#include "net/web/web_connection.h"
#include "net/web/web_site.h"
#include "net/worker_pool.h"
#include "text/quoting.h"

namespace rta::net {
namespace {

/// Minimum interval between log lines that clients can trigger.
constexpr std::chrono::seconds kFaultLogInterval{1};
/// Minimum interval between log lines about failed attempts to be admitted.
constexpr std::chrono::seconds kAttemptLogInterval{10};

/// A fraction of the shortest limit of time, so that no limit is exceeded by much.
std::chrono::milliseconds watch_interval(const ServerLimits& limits) {
    using std::chrono::milliseconds;
    milliseconds shortest = std::min(limits.hello_time, limits.write_time);
    if (limits.idle_time.count() != 0) shortest = std::min(shortest, limits.idle_time);
    return std::clamp(shortest / 4, milliseconds{10}, milliseconds{1'000});
}

}  // namespace

/// Shared with its pending handlers, which the io_context may keep after stop().
struct Server::Impl : std::enable_shared_from_this<Impl>, ClientSession::Owner, WebConnection::Owner {
    Impl(asio::io_context& context, Engine& engine, api::DaemonAccess& daemon, LogSink sink, ServerLimits given)
        : io{context},
          access{daemon.access()},
          log{std::move(sink)},
          limits{given},
          workers{context},
          dispatcher{engine, daemon, workers, &std::chrono::steady_clock::now, given.requests},
          large_messages{
              std::make_shared<LargeMessages>(context.get_executor(), given.large_messages, given.large_message_time)},
          admission{given, ::geteuid()},
          refusals{context.get_executor()},
          connection_log{log, given},
          poll_timer{context},
          watch_timer{context} {}

    /// Removes a client whose start throws.
    struct ForgetUnlessComplete {
        ForgetUnlessComplete(Impl& server, std::uint64_t client) : impl{server}, number{client} {}
        ForgetUnlessComplete(const ForgetUnlessComplete&) = delete;
        ForgetUnlessComplete& operator=(const ForgetUnlessComplete&) = delete;
        ~ForgetUnlessComplete() {
            if (!complete) impl.forget(number);
        }
        Impl& impl;
        std::uint64_t number;
        bool complete = false;
    };

    void start();
    void stop();
    void listen(ListeningSocket socket, const std::shared_ptr<WebSite>& site = nullptr);
    [[nodiscard]] Expected<ListeningSocket> open_tcp(std::string_view address);
    [[nodiscard]] std::string log_line(const Listener& listener, const WebSite* site) const;
    [[nodiscard]] std::string overlapping(std::string_view address) const;
    void accept(Listener& listener, StreamSocket socket, const std::shared_ptr<WebSite>& site);
    [[nodiscard]] std::optional<Error> admit(const api::Entry& entry, const std::string& listener);
    void serve(std::unique_ptr<ByteStream> stream, api::Entry entry, const std::string& listener,
               const std::optional<Error>& refusal);
    void start_session(std::uint64_t number, std::unique_ptr<ByteStream> stream, api::Entry entry,
                       const std::string& listener);
    void serve_web(Listener::Accepted accepted, std::string local, const std::string& listener,
                   const std::shared_ptr<WebSite>& site, std::optional<Error> refusal);
    [[nodiscard]] std::size_t refused_sessions() const;
    [[nodiscard]] std::optional<Admission::Idle> find_idle(std::uint64_t number, ClientSession::Clock::time_point now);
    void displace(std::uint64_t number);
    void watch_sessions();
    void check_sessions();
    void poll_engine();
    void end_pass();
    void begin_pass_after(int rounds);
    void begin_pass();
    void forget(std::uint64_t number);
    void limit_refused_sessions();
    void session_ended(const ClientSession& session) override;
    void client_refused(const ClientSession& session) override;
    void closed_for(ClosedFor reason, const ClientSession& session) override;
    void web_ended(const WebConnection& connection) override;
    void web_upgraded(const WebConnection& connection, std::unique_ptr<ByteStream> stream) override;
    void web_closed_for(ClosedFor reason, const WebConnection& connection) override;
    void attempt_failed(const std::string& address, const Error& reason);
    void node_faulted(const std::string& node);
    void failed(const Error& error);

    asio::io_context& io;
    const api::Access& access;
    LogSink log;
    ServerLimits limits;
    WorkerPool workers;
    api::Dispatcher dispatcher;
    std::shared_ptr<LargeMessages> large_messages;
    Admission admission;
    Refusals refusals;
    ConnectionLog connection_log;
    asio::steady_timer poll_timer;
    asio::steady_timer watch_timer;
    std::chrono::microseconds poll_interval{0};
    std::shared_ptr<TlsNetwork> tls;  ///< null without use_tls()
    std::vector<std::shared_ptr<Listener>> listeners;
    std::map<std::uint64_t, std::shared_ptr<ClientSession>> sessions;  ///< by their numbers, in order of arrival
    std::map<std::uint64_t, std::shared_ptr<WebConnection>> browsers;  ///< HTTP connections, by their numbers
    std::size_t refused_browsers = 0;                                  ///< those without a place
    std::uint64_t last_session =
        0;  ///< also of a browser, which keeps its number and place as the session of its WebSocket
    bool watching = false;
    LogLimiter attempts{kAttemptLogInterval};
    LogLimiter faults{kFaultLogInterval};
    LogLimiter failures{kFaultLogInterval};
    bool ending_pass = false;  ///< a handler begins the next pass
    bool holding = false;
    bool stopped = false;
};

void Server::Impl::start() {
    dispatcher.on_busy([this] {
        if (dispatcher.interval() < poll_interval) poll_timer.cancel();
    });
    dispatcher.time().on_pass_over([this] { end_pass(); });
    dispatcher.on_node_fault([this](const std::string& node) { node_faulted(node); });
    dispatcher.on_failed_attempt(
        [this](const std::string& address, const Error& reason) { attempt_failed(address, reason); });
    poll_engine();
}

void Server::Impl::stop() {
    if (std::exchange(stopped, true)) return;
    dispatcher.on_busy(nullptr);
    dispatcher.time().on_pass_over(nullptr);
    dispatcher.on_node_fault(nullptr);
    dispatcher.on_failed_attempt(nullptr);
    poll_timer.cancel();
    watch_timer.cancel();
    for (const auto& listener : std::exchange(listeners, {})) listener->close();
    for (const auto& [number, session] : std::exchange(sessions, {})) session->close();
    for (const auto& [number, browser] : std::exchange(browsers, {})) browser->close();
    refusals.close();
    connection_log.stop();
    if (tls) tls->stop();
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
        if (self->stopped) return;
        if (self->dispatcher.time().pass_over()) self->end_pass();
        self->poll_engine();
    });
}

/// Begins each pass in a handler of its own, after everything else that is ready: what the io_context had to do already,
/// then what has arrived in the meantime, and then what followed from that, such as writing an answer.
void Server::Impl::end_pass() {
    if (stopped || std::exchange(ending_pass, true)) return;
    begin_pass_after(2);
}

void Server::Impl::begin_pass_after(int rounds) {
    const auto posted = api::guarded("ending a pass", [&] {
        asio::post(io, [self = shared_from_this(), rounds] {
            if (rounds == 0) return self->begin_pass();
            self->begin_pass_after(rounds - 1);
        });
    });
    if (!posted) ending_pass = false;  // the next poll tries again
}

void Server::Impl::begin_pass() {
    ending_pass = false;
    if (stopped) return;
    const auto begun = api::guarded("beginning a pass", [this] { dispatcher.time().begin_pass(); });
    if (!begun) failed(begun.error());
    if (dispatcher.time().pass_over()) end_pass();
}

std::string Server::Impl::log_line(const Listener& listener, const WebSite* site) const {
    const bool encrypted = listener.encrypted();
    if (site != nullptr) {
        return "serving " + site->names().first_origin() + "/" +
               (encrypted ? "; certificate " + tls->context().fingerprint() : "");
    }
    return "listening on " + listener.name() +
           (encrypted ? " with TLS; certificate " + tls->context().fingerprint() : "");
}

/// `site`: null for the protocol without HTTP.
void Server::Impl::listen(ListeningSocket socket, const std::shared_ptr<WebSite>& site) {
    const bool encrypted = socket.tls;
    const auto listener = listeners.emplace_back(
        std::make_shared<Listener>(std::move(socket), encrypted ? tls : std::shared_ptr<TlsNetwork>{}, log));
    log(LogLevel::info, log_line(*listener, site.get()));
    if (holding) listener->hold();
    // `this` and `raw` are valid: stop() closes the listener, which then drops the handler.
    listener->start([this, raw = listener.get(), site](StreamSocket client) {
        const auto served = api::guarded("accepting a client", [&] { accept(*raw, std::move(client), site); });
        if (!served) failed(served.error());
    });
}

void Server::Impl::accept(Listener& listener, StreamSocket socket, const std::shared_ptr<WebSite>& site) {
    api::Entry entry = listener.identify(socket);
    auto refusal = admit(entry, listener.name());
    // The handshake would cost more than the place that the client does not get.
    if (refusal && entry.door == api::Entry::Door::tls) return;
    if (site == nullptr) {
        Listener::Accepted accepted = listener.take(std::move(socket), std::move(entry));
        return serve(std::move(accepted.stream), std::move(accepted.entry), listener.name(), refusal);
    }
    // Browsers that only learn why they were refused hold no place. They must not exhaust the resources of others.
    if (refusal && refused_browsers >= Refusals::kMost) return;
    std::string local = Listener::local_address(socket);
    serve_web(listener.take(std::move(socket), std::move(entry)), std::move(local), listener.name(), site,
              std::move(refusal));
}

void Server::Impl::serve_web(Listener::Accepted accepted, std::string local, const std::string& listener,
                             const std::shared_ptr<WebSite>& site, std::optional<Error> refusal) {
    const std::uint64_t number = ++last_session;
    const bool has_place = !refusal;
    const auto browser = std::make_shared<WebConnection>(
        io.get_executor(), std::move(accepted.stream), site,
        WebSite::Visitor{.entry = std::move(accepted.entry), .local = std::move(local)},
        WebConnection::Name{.number = number, .listener = listener}, std::move(refusal));
    ForgetUnlessComplete start{*this, number};
    browsers.emplace(number, browser);
    if (has_place) {
        admission.enter(number, browser->entry());
    } else {
        ++refused_browsers;
    }
    browser->start(*this);
    watch_sessions();
    start.complete = true;
}

void Server::Impl::web_ended(const WebConnection& connection) { forget(connection.name().number); }

void Server::Impl::web_closed_for(ClosedFor reason, const WebConnection& connection) {
    connection_log.closed(reason, connection.entry(), connection.name().listener);
}

/// The session keeps the place of the connection.
void Server::Impl::web_upgraded(const WebConnection& connection, std::unique_ptr<ByteStream> stream) {
    const std::uint64_t number = connection.name().number;
    // Keeps the connection, which calls this, until the end of its coroutine.
    const auto browser = browsers.extract(number);
    start_session(number, std::move(stream), connection.entry(), connection.name().listener);
}

/// Returns why a client may not come in. Otherwise makes room for it.
std::optional<Error> Server::Impl::admit(const api::Entry& entry, const std::string& listener) {
    const auto now = ClientSession::Clock::now();
    auto answer = admission.ask(entry, [&](std::uint64_t number) { return find_idle(number, now); });
    if (answer.refusal) connection_log.refused(*answer.refusal, entry, listener);
    if (answer.displaced) displace(*answer.displaced);
    return std::move(answer.refusal);
}

std::optional<Admission::Idle> Server::Impl::find_idle(std::uint64_t number, ClientSession::Clock::time_point now) {
    if (const auto browser = browsers.find(number); browser != browsers.end()) {
        const auto since = browser->second->idle_since();
        return since ? std::optional{Admission::Idle{.introduced = false, .since = *since}} : std::nullopt;
    }
    const ClientSession& session = *sessions.at(number);
    const auto since = session.idle_since();
    const bool introduced = session.client().introduced();
    if (!since || (introduced && now - *since < limits.displaceable_time)) return std::nullopt;
    return Admission::Idle{.introduced = introduced, .since = *since};
}

void Server::Impl::displace(std::uint64_t number) {
    if (browsers.contains(number)) return forget(number);
    const auto session = sessions.at(number);
    admission.leave(number);
    session->disconnect_idle(Error{ErrorCode::resource_exhausted,
                                   "disconnected because places for clients are short, and this client was idle the "
                                   "longest and has not subscribed; connect again for the next request",
                                   {}});
}

void Server::Impl::serve(std::unique_ptr<ByteStream> stream, api::Entry entry, const std::string& listener,
                         const std::optional<Error>& refusal) {
    if (refusal) return refusals.add(std::move(stream), *refusal);
    const std::uint64_t number = ++last_session;
    ForgetUnlessComplete start{*this, number};
    admission.enter(number, entry);
    start_session(number, std::move(stream), std::move(entry), listener);
    start.complete = true;
}

/// Serves a client that has a place under this number.
void Server::Impl::start_session(std::uint64_t number, std::unique_ptr<ByteStream> stream, api::Entry entry,
                                 const std::string& listener) {
    ForgetUnlessComplete start{*this, number};
    const auto client = dispatcher.connect(std::move(entry));
    const auto spending = client->spend();
    const auto session =
        std::make_shared<ClientSession>(io.get_executor(), std::move(stream), client, large_messages,
                                        ClientSession::Name{.number = number, .listener = listener}, log);
    sessions.emplace(number, session);
    limit_refused_sessions();
    session->start(*this);
    watch_sessions();
    start.complete = true;
}

/// Returns the number of sessions without a place.
std::size_t Server::Impl::refused_sessions() const {
    return sessions.size() + (browsers.size() - refused_browsers) - admission.count();
}

/// Clients that were refused after their Hello hold no place, and must not exhaust the resources of others.
void Server::Impl::limit_refused_sessions() {
    if (refused_sessions() <= Refusals::kMost) return;
    const auto oldest = std::ranges::find_if(sessions, [](const auto& entry) { return entry.second->refused(); });
    if (oldest != sessions.end()) forget(oldest->first);
}

/// Closes a session. It may be destroyed now.
void Server::Impl::forget(std::uint64_t number) {
    admission.leave(number);
    if (const auto browser = browsers.extract(number); !browser.empty()) {
        if (browser.mapped()->refused()) --refused_browsers;
        return browser.mapped()->close();
    }
    const auto node = sessions.extract(number);
    if (node.empty()) return;
    node.mapped()->close();
    // Its requests, answers and events were freed, or will be when its pending operations have ended.
    static_cast<void>(api::guarded("returning memory", [this] { workers.return_memory(); }));
}

void Server::Impl::session_ended(const ClientSession& session) { forget(session.name().number); }

void Server::Impl::client_refused(const ClientSession& session) { admission.leave(session.name().number); }

void Server::Impl::closed_for(ClosedFor reason, const ClientSession& session) {
    connection_log.closed(reason, session.client().entry(), session.name().listener);
}

/// Checks the limits of time of all clients, while there are clients.
void Server::Impl::watch_sessions() {
    if ((sessions.empty() && browsers.empty()) || std::exchange(watching, true)) return;
    watch_timer.expires_after(watch_interval(limits));
    watch_timer.async_wait([self = shared_from_this()](const asio::error_code&) {
        self->watching = false;
        if (self->stopped) return;
        const auto checked = api::guarded("checking the clients", [&] { self->check_sessions(); });
        if (!checked) self->failed(checked.error());
        self->watch_sessions();
    });
}

void Server::Impl::check_sessions() {
    std::vector<std::shared_ptr<ClientSession>> all;
    all.reserve(sessions.size());
    for (const auto& [number, session] : sessions) all.push_back(session);
    const auto now = ClientSession::Clock::now();
    for (const auto& session : all) session->check_time(limits, now);
    std::vector<std::shared_ptr<WebConnection>> connections;
    connections.reserve(browsers.size());
    for (const auto& [number, browser] : browsers) connections.push_back(browser);
    for (const auto& browser : connections) browser->check_time(limits, now);
}

void Server::Impl::attempt_failed(const std::string& address, const Error& reason) {
    const auto unlogged = attempts.due(std::chrono::steady_clock::now());
    if (!unlogged) return;
    log(LogLevel::warning, "refused a client from " + address + ": " + reason.sentence +
                               (*unlogged == 0 ? "" : " (and " + std::to_string(*unlogged) + " more before it)"));
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

Server::Server(asio::io_context& io, Engine& engine, api::DaemonAccess& daemon, LogSink log, ServerLimits limits) {
    if (!log) log = [](LogLevel, std::string_view) {};
    // protobuf would write to stderr about invalid UTF-8; the client receives an error instead.
    google::protobuf::SetLogHandler(nullptr);
    impl_ = std::make_shared<Impl>(io, engine, daemon, std::move(log), limits);
    impl_->start();
}

Server::~Server() { impl_->stop(); }

void Server::use_tls(std::shared_ptr<const TlsContext> context, TlsLimits limits) {
    impl_->tls = std::make_shared<TlsNetwork>(std::move(context), limits);
}

/// Returns the address of this server that excludes `address`; empty: none.
std::string Server::Impl::overlapping(std::string_view address) const {
    const auto target = resolve_listen_target(address);
    for (const auto& listener : listeners) {
        const auto bound = listener->tcp_endpoint();
        if (target && bound && overlap(target->endpoint, *bound)) return listener->name();
    }
    return {};
}

Expected<ListeningSocket> Server::Impl::open_tcp(std::string_view address) {
    auto socket = net::listen_tcp(io, address);
    if (!socket && socket.error().code == ErrorCode::already_exists) {
        if (const std::string other = overlapping(address); !other.empty()) {
            return fail(ErrorCode::already_exists,
                        "cannot listen on " + quoted(address) + ": it overlaps " + other +
                            ", which is another address of --listen or --web; expected one of them");
        }
    }
    if (!socket) return std::unexpected(std::move(socket.error()));
    if (socket->tls && !tls) {
        return fail(ErrorCode::permission_denied,
                    "refused to listen on " + socket->name + ": this address uses TLS; expected a certificate");
    }
    return socket;
}

Expected<std::string> Server::listen_tcp(std::string_view address) {
    auto socket = impl_->open_tcp(address);
    if (!socket) return std::unexpected(std::move(socket.error()));
    std::string name = socket->name;
    impl_->listen(std::move(*socket));
    return name;
}

Expected<std::string> Server::listen_web(std::string_view address, WebOptions options) {
    auto socket = impl_->open_tcp(address);
    if (!socket) return std::unexpected(std::move(socket.error()));
    const auto bound = parse_address(socket->name);
    if (!bound) return std::unexpected(bound.error());
    WebNames names{options.hosts, options.web_names, bound->port, socket->tls};
    const auto site = std::make_shared<WebSite>(std::move(options), std::move(names), impl_->access, impl_->log,
                                                std::make_shared<WebTurns>(impl_->io.get_executor()));
    impl_->listen(std::move(*socket), site);
    if (!site->page_missing().empty()) impl_->log(LogLevel::warning, "--web: " + site->page_missing());
    return site->names().first_origin() + "/";
}

Expected<void> Server::listen_unix(const std::string& path, SocketAccess access) {
    auto socket = net::listen_unix(impl_->io, path, access);
    if (!socket) return std::unexpected(std::move(socket.error()));
    impl_->listen(std::move(*socket));
    return {};
}

void Server::serve(std::unique_ptr<ByteStream> stream, api::Entry entry) {
    const std::string listener = entry.address;
    const auto refusal = impl_->admit(entry, listener);
    impl_->serve(std::move(stream), std::move(entry), listener, refusal);
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

std::string Server::metrics() const { return impl_->dispatcher.metrics(); }

std::size_t Server::client_count() const { return impl_->dispatcher.client_count(); }

api::History& Server::history() { return impl_->dispatcher.services().history; }

api::ChangeLog& Server::changes() { return impl_->dispatcher.services().changes; }
api::Scenes& Server::scenes() { return impl_->dispatcher.services().scenes; }

api::Confirmation& Server::confirmation() { return impl_->dispatcher.services().confirmation; }

const std::string& Server::instance_id() const { return impl_->dispatcher.hub().instance_id(); }

}  // namespace rta::net
