// SPDX-License-Identifier: MIT
#include "net/server.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <asio/basic_socket_acceptor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "api/dispatcher.h"
#include "api/exception_barrier.h"
#include "net/listen.h"
#include "net/log_limiter.h"
#include "net/session.h"
#include "text/names.h"

namespace rta::api {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

constexpr std::size_t kWorkerThreads = 2;
/// Of the system's, for each client; it takes twice as much.
constexpr int kSendBufferBytes = 128 << 10;
/// Refused clients that may still be told why at one time; beyond that the one that has had longest is closed.
constexpr std::size_t kRefusedAtOnce = 64;
/// Between two lines about what others may cause as often as they like.
constexpr std::chrono::seconds kRefusalPause{10};
constexpr std::chrono::seconds kFaultPause{1};
/// Before what failed for lack of memory is tried again.
constexpr std::chrono::milliseconds kMemoryPause{10};
/// After an error of accept(): most are a lack of file descriptors, which another attempt at once would not find
/// mended.
constexpr std::chrono::milliseconds kAcceptPause{100};

/// Two threads for slow work; what is done is told in the io_context.
class WorkerPool final : public Workers {
 public:
    explicit WorkerPool(asio::io_context& io) : io_{io} {}
    /// Waits for what is running; what is not running yet will not.
    void stop() {
        stopping_ = true;
        threads_.stop();
        threads_.join();
    }

 private:
    void start(std::function<void()> work, std::function<void()> done) override {
        asio::post(threads_, [this, work = std::move(work), done = std::move(done)] {
            work();
            // Somebody waits for it: if there is no memory to tell, there will be.
            while (!guarded("work was handed back", [&] { asio::post(io_, done); }) && !stopping_) {
                std::this_thread::sleep_for(kMemoryPause);
            }
        });
    }

    std::atomic<bool> stopping_{false};
    asio::io_context& io_;
    asio::thread_pool threads_{kWorkerThreads};
};

struct Listener {
    explicit Listener(asio::io_context& io) : acceptor{io}, pause{io} {}
    Acceptor acceptor;
    asio::steady_timer pause;  ///< after an error, and while clients are held
    std::string name;
    bool tcp = false;
};

}  // namespace

/// Shared with its coroutines, which outlive stop() until the io_context runs again or ends.
struct Server::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& context, Engine& engine, Host& host, LogSink sink, ServerLimits given)
        : io{context},
          log{std::move(sink)},
          limits{given},
          workers{context},
          dispatcher{engine, host, workers},
          poll_timer{context} {}

    void start();
    void stop();
    void listen(ListeningSocket socket);
    asio::awaitable<void> poll_engine();
    asio::awaitable<void> accept(std::shared_ptr<Listener> listener);
    void welcome(Session::Socket socket, const Listener& listener);
    void remove(const Session* session);
    void refuse(Client& client, const Listener& listener);
    void make_room_among_refused();
    void node_faulted(const std::string& node);
    void failed(const Error& error);

    asio::io_context& io;
    LogSink log;
    ServerLimits limits;
    WorkerPool workers;
    Dispatcher dispatcher;
    asio::steady_timer poll_timer;
    std::chrono::microseconds poll_interval{0};
    std::vector<std::shared_ptr<Listener>> listeners;
    std::vector<SocketFile> socket_files;
    std::vector<std::shared_ptr<Session>> sessions;
    std::uint64_t session_number = 0;
    LogLimiter refusals{kRefusalPause};
    LogLimiter faults{kFaultPause};
    LogLimiter failures{kFaultPause};
    bool holding = false;
    bool stopped = false;
};

void Server::Impl::start() {
    dispatcher.on_busy([this] {
        if (dispatcher.interval() < poll_interval) poll_timer.cancel();
    });
    dispatcher.on_node_fault([this](const std::string& node) { node_faulted(node); });
    asio::co_spawn(io, [self = shared_from_this()] { return self->poll_engine(); }, asio::detached);
}

void Server::Impl::stop() {
    if (std::exchange(stopped, true)) return;
    dispatcher.on_busy(nullptr);
    dispatcher.on_node_fault(nullptr);
    poll_timer.cancel();
    for (const auto& listener : std::exchange(listeners, {})) {
        asio::error_code ignored;
        listener->acceptor.close(ignored);
        listener->pause.cancel();
    }
    socket_files.clear();
    for (const auto& session : std::exchange(sessions, {})) session->close();
    workers.stop();
    log = nullptr;
}

asio::awaitable<void> Server::Impl::poll_engine() {
    while (!stopped) {
        poll_interval = dispatcher.interval();
        poll_timer.expires_after(poll_interval);
        asio::error_code ignored;
        co_await poll_timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        if (stopped) co_return;
        if (const auto ticked = guarded("the engine was asked what has happened", [this] { dispatcher.tick(); });
            !ticked) {
            failed(ticked.error());
        }
    }
}

void Server::Impl::listen(ListeningSocket socket) {
    const int family = socket.family();
    const auto listener = std::make_shared<Listener>(io);
    listener->name = socket.name();
    listener->tcp = family != AF_UNIX;
    listener->acceptor.assign(asio::generic::stream_protocol{family, 0}, socket.release());
    listeners.push_back(listener);
    log(LogLevel::info, "listening on " + listener->name);
    asio::co_spawn(io, [self = shared_from_this(), listener] { return self->accept(listener); }, asio::detached);
}

asio::awaitable<void> Server::Impl::accept(std::shared_ptr<Listener> listener) {
    bool failing = false;
    while (!stopped) {
        Session::Socket socket{io};
        asio::error_code error;
        if (holding) {
            listener->pause.expires_at(asio::steady_timer::time_point::max());
            co_await listener->pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
            continue;
        }
        co_await listener->acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
        if (stopped) co_return;
        if (!error) {
            failing = false;
            const auto welcomed = guarded("a client was welcomed", [&] { welcome(std::move(socket), *listener); });
            if (!welcomed) failed(welcomed.error());
            continue;
        }
        // Cancelled by hold_clients(), even if welcome_clients() came right after it.
        if (error == asio::error::operation_aborted) continue;
        if (!std::exchange(failing, true)) {
            log(LogLevel::error, "cannot accept clients on " + listener->name + " for now: " + error.message());
        }
        listener->pause.expires_after(kAcceptPause);
        co_await listener->pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
}

void Server::Impl::welcome(Session::Socket socket, const Listener& listener) {
    asio::error_code ignored;
    // An answer must not wait for the acknowledgement of the one before it.
    if (listener.tcp) socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
    // The system would keep megabytes for whoever reads slowly: telemetry that nobody can drop any more.
    socket.set_option(asio::socket_base::send_buffer_size{kSendBufferBytes}, ignored);
    const auto client = dispatcher.connect(listener.tcp ? peer_name(socket.native_handle()) : listener.name);
    const auto session = std::make_shared<Session>(
        std::move(socket), client, "client " + std::to_string(++session_number) + " on " + listener.name, log);
    sessions.push_back(session);
    if (dispatcher.client_count() > limits.clients) refuse(*client, listener);
    make_room_among_refused();
    session->start(limits.hello_time, [this, raw = session.get()] { remove(raw); });
}

void Server::Impl::refuse(Client& client, const Listener& listener) {
    const std::string limit = std::to_string(limits.clients);
    if (const auto untold = refusals.due(std::chrono::steady_clock::now())) {
        log(LogLevel::warning, "refused a client on " + listener.name + ": there are " + limit +
                                   " already, which is the limit" +
                                   (*untold == 0 ? "" : " (and " + std::to_string(*untold) + " more before it)"));
    }
    client.refuse_stream(Error{ErrorCode::resource_exhausted,
                               limit + " clients are connected already, which is the limit; try again later",
                               {}});
}

/// They are no clients any more, and must not take the place of those who would be.
void Server::Impl::make_room_among_refused() {
    if (sessions.size() - dispatcher.client_count() <= kRefusedAtOnce) return;
    const auto oldest = std::ranges::find_if(sessions, [](const auto& session) { return session->refused(); });
    if (oldest == sessions.end()) return;
    const auto session = std::move(*oldest);
    sessions.erase(oldest);
    session->close();
}

void Server::Impl::node_faulted(const std::string& node) {
    const auto untold = faults.due(std::chrono::steady_clock::now());
    if (!untold) return;
    log(LogLevel::warning, "node " + quoted(node) + " produced NaN or infinity; it is silent until it is built anew" +
                               (*untold == 0 ? "" : " (and " + std::to_string(*untold) + " more faults before it)"));
}

/// The daemon goes on.
void Server::Impl::failed(const Error& error) {
    if (!failures.due(std::chrono::steady_clock::now())) return;
    const auto told = guarded("a failure was logged", [&] { log(LogLevel::error, error.sentence); });
    static_cast<void>(told);
}

void Server::Impl::remove(const Session* session) {
    std::erase_if(sessions, [&](const auto& other) { return other.get() == session; });
}

Server::Server(asio::io_context& io, Engine& engine, Host& host, LogSink log, ServerLimits limits) {
    if (!log) log = [](LogLevel, std::string_view) {};
    // protobuf would write to stderr about strings that are not UTF-8; the client is told instead.
    google::protobuf::SetLogHandler(nullptr);
    impl_ = std::make_shared<Impl>(io, engine, host, std::move(log), limits);
    impl_->start();
}

Server::~Server() { impl_->stop(); }

Expected<std::string> Server::listen_tcp(std::string_view address) {
    auto socket = api::listen_tcp(address);
    if (!socket) return std::unexpected(std::move(socket.error()));
    std::string name = socket->name();
    impl_->listen(std::move(*socket));
    return name;
}

Expected<void> Server::listen_unix(const std::string& path, SocketAccess access) {
    auto listener = api::listen_unix(path, access);
    if (!listener) return std::unexpected(std::move(listener.error()));
    impl_->listen(std::move(listener->socket));
    impl_->socket_files.push_back(std::move(listener->file));
    return {};
}

void Server::hold_clients() {
    impl_->holding = true;
    asio::error_code ignored;
    for (const auto& listener : impl_->listeners) listener->acceptor.cancel(ignored);
}

void Server::welcome_clients() {
    impl_->holding = false;
    for (const auto& listener : impl_->listeners) listener->pause.cancel();
}

void Server::device_changed(const DeviceStatus& device) { impl_->dispatcher.device_changed(device); }

void Server::xruns(const XrunCounts& counts, std::uint64_t frame) { impl_->dispatcher.xruns(counts, frame); }

void Server::fade_out(float length_ms, std::function<void()> done) {
    impl_->dispatcher.fade_out(length_ms, std::move(done));
}

void Server::stop() { impl_->stop(); }

std::size_t Server::client_count() const { return impl_->dispatcher.client_count(); }

}  // namespace rta::api
