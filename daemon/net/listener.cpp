// SPDX-License-Identifier: MIT
#include "net/listener.h"

#include <sys/socket.h>

#include <asio/error.hpp>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "api/exception_barrier.h"
#include "net/endpoint.h"
#include "net/tls_stream.h"

namespace rta::net {
namespace {

/// Memory that the system reserves for unread output of one client, before it doubles the value. By default it is
/// megabytes: telemetry for a slow client would become stale there, where the daemon can no longer drop it.
constexpr int kSendBufferBytes = 128 << 10;
/// Pause after a failed accept(). Most failures are a lack of file descriptors, so an immediate retry would fail again.
constexpr std::chrono::milliseconds kRetryPause{100};

std::optional<asio::ip::tcp::endpoint> tcp_endpoint_of(const asio::generic::stream_protocol::endpoint& generic) {
    asio::ip::tcp::endpoint endpoint;
    if (generic.size() > endpoint.capacity()) return std::nullopt;
    std::memcpy(endpoint.data(), generic.data(), generic.size());
    return endpoint;
}

std::string tcp_peer_address(const StreamSocket& client) {
    asio::error_code error;
    const auto endpoint = tcp_endpoint_of(client.remote_endpoint(error));
    return error || !endpoint ? std::string{} : to_string(*endpoint);
}

/// Returns the user of the process that connected to a Unix socket.
std::optional<std::uint32_t> peer_user(int descriptor) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
    return credentials.uid;
}

}  // namespace

Listener::Listener(ListeningSocket socket, std::shared_ptr<TlsNetwork> tls, LogSink log)
    : socket_{std::move(socket)},
      tls_{std::move(tls)},
      log_{std::move(log)},
      retry_timer_{socket_.acceptor.get_executor()} {}

std::optional<asio::ip::tcp::endpoint> Listener::tcp_endpoint() const {
    if (!socket_.tcp) return std::nullopt;
    asio::error_code error;
    const auto bound = socket_.acceptor.local_endpoint(error);
    return error ? std::nullopt : tcp_endpoint_of(bound);
}

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

api::Entry Listener::identify(StreamSocket& client) const {
    using Door = api::Entry::Door;
    if (!socket_.tcp)
        return {.door = Door::unix_socket, .address = name(), .user_id = peer_user(client.native_handle())};
    return {.door = socket_.tls ? Door::tls : Door::loopback, .address = tcp_peer_address(client)};
}

std::string Listener::local_address(const StreamSocket& client) {
    asio::error_code error;
    const auto endpoint = tcp_endpoint_of(client.local_endpoint(error));
    if (error || !endpoint) return {};
    const asio::ip::address address = endpoint->address();
    // A socket for both families shows an IPv4 address as a part of IPv6.
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    return address.to_string();
}

Listener::Accepted Listener::take(StreamSocket client, api::Entry entry) {
    asio::error_code ignored;
    // A response must not wait for the acknowledgement of the previous one.
    if (socket_.tcp) client.set_option(asio::ip::tcp::no_delay{true}, ignored);
    client.set_option(asio::socket_base::send_buffer_size{kSendBufferBytes}, ignored);
    std::unique_ptr<ByteStream> stream = stream_over(std::move(client), entry);
    return {.stream = std::move(stream), .entry = std::move(entry)};
}

std::unique_ptr<ByteStream> Listener::stream_over(StreamSocket client, const api::Entry& entry) {
    if (!socket_.tls) return make_socket_stream(std::move(client));
    return make_tls_stream(std::move(client), tls_, api::network_of(entry),
                           [self = shared_from_this(), address = entry.address](const asio::error_code& error) {
                               self->handshake_failed(address, error);
                           });
}

void Listener::handshake_failed(const std::string& address, const asio::error_code& error) {
    // A client that connects and sends nothing checks whether the port is open.
    if (error == asio::error::eof) return;
    const auto logged = api::guarded("logging a failed handshake", [&] {
        const auto unlogged = failed_handshakes_.due(std::chrono::steady_clock::now());
        if (!unlogged) return;
        log_(LogLevel::warning, "TLS handshake with " + address + " on " + name() + " failed: " + error.message() +
                                    (*unlogged == 0 ? "" : " (and " + std::to_string(*unlogged) + " more before it)"));
    });
    static_cast<void>(logged);
}

}  // namespace rta::net
