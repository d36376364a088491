// SPDX-License-Identifier: MIT
#include "net/listener.h"

#include <sys/socket.h>

#include <asio/error.hpp>
#include <chrono>
#include <cstring>
#include <utility>

#include "api/exception_barrier.h"
#include "net/endpoint.h"

namespace rta::net {
namespace {

/// Memory that the system reserves for unread output of one client, before it doubles the value. By default it is
/// megabytes: telemetry for a slow client would become stale there, where the daemon can no longer drop it.
constexpr int kSendBufferBytes = 128 << 10;
/// Pause after a failed accept(). Most failures are a lack of file descriptors, so an immediate retry would fail again.
constexpr std::chrono::milliseconds kRetryPause{100};

std::string tcp_peer_address(const StreamSocket& client) {
    asio::error_code error;
    const auto generic = client.remote_endpoint(error);
    asio::ip::tcp::endpoint endpoint;
    if (error || generic.size() > endpoint.capacity()) return {};
    std::memcpy(endpoint.data(), generic.data(), generic.size());
    return to_string(endpoint);
}

/// Returns the user of the process that connected a Unix socket.
std::optional<std::uint32_t> peer_user(StreamSocket& client) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(client.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
    return credentials.uid;
}

}  // namespace

Listener::Listener(ListeningSocket socket, LogSink log)
    : socket_{std::move(socket)}, log_{std::move(log)}, retry_timer_{socket_.acceptor.get_executor()} {}

void Listener::start(Handler handler) {
    handler_ = std::move(handler);
    accept_next();
}

void Listener::hold() {
    held_ = true;
    asio::error_code ignored;
    socket_.acceptor.cancel(ignored);
}

void Listener::release() {
    held_ = false;
    accept_next();
}

void Listener::close() {
    closed_ = true;
    handler_ = nullptr;
    asio::error_code ignored;
    socket_.acceptor.close(ignored);
    socket_.file.remove();
    retry_timer_.cancel();
}

void Listener::accept_next() {
    if (pending_ || held_ || closed_) return;
    pending_ = true;
    socket_.acceptor.async_accept([self = shared_from_this()](const asio::error_code& error, StreamSocket client) {
        self->completed(error, std::move(client));
    });
}

void Listener::completed(const asio::error_code& error, StreamSocket client) {
    pending_ = false;
    if (closed_) return;
    if (!error) {
        failing_ = false;
        handler_(std::move(client));
    } else if (error != asio::error::operation_aborted) {
        retry_later(error);
    }
    // Also after a cancellation by hold(): release() may have been called in the meantime.
    accept_next();
}

void Listener::retry_later(const asio::error_code& error) {
    if (!std::exchange(failing_, true)) log_failure(error);
    pending_ = true;
    retry_timer_.expires_after(kRetryPause);
    retry_timer_.async_wait([self = shared_from_this()](const asio::error_code&) {
        self->pending_ = false;
        self->accept_next();
    });
}

void Listener::log_failure(const asio::error_code& error) const {
    const auto logged = api::guarded("logging a failed accept", [&] {
        log_(LogLevel::error, "cannot accept clients on " + name() + ": " + error.message() + "; retrying");
    });
    static_cast<void>(logged);
}

Listener::Accepted Listener::take(StreamSocket client) const {
    asio::error_code ignored;
    // A response must not wait for the acknowledgement of the previous one.
    if (socket_.tcp) client.set_option(asio::ip::tcp::no_delay{true}, ignored);
    client.set_option(asio::socket_base::send_buffer_size{kSendBufferBytes}, ignored);
    api::Entry entry = entry_of(client);
    return {.stream = make_socket_stream(std::move(client)), .entry = std::move(entry)};
}

api::Entry Listener::entry_of(StreamSocket& client) const {
    if (socket_.tcp) return {.door = api::Entry::Door::loopback, .address = tcp_peer_address(client)};
    return {.door = api::Entry::Door::unix_socket, .address = name(), .user_id = peer_user(client)};
}

}  // namespace rta::net
