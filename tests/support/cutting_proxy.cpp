// SPDX-License-Identifier: MIT
#include "support/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace rta::test {

namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

/// Without this, the system would join small chunks again.
void send_immediately(int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool write_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

}  // namespace

CuttingProxy::CuttingProxy(std::uint16_t port, Planner planner) : daemon_port_{port}, planner_{std::move(planner)} {}

CuttingProxy::CuttingProxy(std::string socket_path, Planner planner)
    : socket_path_{std::move(socket_path)}, planner_{std::move(planner)} {}

CuttingProxy::~CuttingProxy() {
    listener_.stop();
    cut_all();
    for (std::thread& forwarder : forwarders_) forwarder.join();
}

std::size_t CuttingProxy::cuts() const {
    const std::scoped_lock lock{mutex_};
    return cuts_;
}

std::size_t CuttingProxy::connections() const {
    const std::scoped_lock lock{mutex_};
    return connections_.size();
}

os::UniqueFd CuttingProxy::connect_to_daemon() const {
    sockaddr_storage storage{};
    socklen_t size = 0;
    if (socket_path_.empty()) {
        const sockaddr_in address = loopback(daemon_port_);
        size = sizeof address;
        std::memcpy(&storage, &address, size);
    } else {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        socket_path_.copy(address.sun_path, sizeof address.sun_path - 1);
        size = sizeof address;
        std::memcpy(&storage, &address, size);
    }
    os::UniqueFd daemon{::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (::connect(daemon.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) return os::UniqueFd{};
    if (socket_path_.empty()) send_immediately(daemon.get());
    return daemon;
}

void CuttingProxy::add(os::UniqueFd client) {
    os::UniqueFd daemon = connect_to_daemon();
    if (!daemon) return;  // it is not running: the client is disconnected
    send_immediately(client.get());
    const Plan plan = planner_(connections());
    const std::scoped_lock lock{mutex_};
    Connection& connection = connections_.emplace_back();
    connection.client = std::move(client);
    connection.daemon = std::move(daemon);
    connection.plan = plan;
    forwarders_.emplace_back([this, &connection, from = connection.client.get(), to = connection.daemon.get()] {
        forward(connection, from, to, connection.plan.to_daemon);
        end_direction(connection);
    });
    forwarders_.emplace_back([this, &connection, from = connection.daemon.get(), to = connection.client.get()] {
        forward(connection, from, to, connection.plan.to_client);
        end_direction(connection);
    });
}

void CuttingProxy::forward(Connection& connection, int from, int to, const Damage& damage) {
    std::array<char, 65'536> bytes{};
    std::size_t left = damage.cut_after_bytes;
    for (;;) {
        const std::size_t most = std::min({bytes.size(), damage.chunk_bytes, std::max<std::size_t>(left, 1)});
        const ssize_t count = ::recv(from, bytes.data(), most, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        if (left == 0) return cut(connection);
        if (damage.delay.count() > 0) std::this_thread::sleep_for(damage.delay);
        if (!write_all(to, std::string_view{bytes.data(), static_cast<std::size_t>(count)})) break;
        if (left != Damage::kNever) left -= static_cast<std::size_t>(count);
        if (left == 0) return cut(connection);
    }
    // A peer has disconnected, or shut down its sending direction.
    ::shutdown(to, SHUT_WR);
}

void CuttingProxy::end_direction(Connection& connection) {
    const std::scoped_lock lock{mutex_};
    if (--connection.open_directions > 0) return;
    connection.client.reset();
    connection.daemon.reset();
}

void CuttingProxy::cut(Connection& connection) {
    const std::scoped_lock lock{mutex_};
    if (connection.cut || connection.open_directions == 0) return;
    connection.cut = true;
    ++cuts_;
    if (connection.plan.reset) {
        // Closing a socket that lingers for 0 s resets the connection. The descriptor is still in use by forwarders, so
        // it is connected to nothing instead, which resets it, too.
        const linger now{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(connection.client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        const sockaddr nothing{.sa_family = AF_UNSPEC, .sa_data = {}};
        ::connect(connection.client.get(), &nothing, sizeof nothing);
    }
    ::shutdown(connection.client.get(), SHUT_RDWR);
    ::shutdown(connection.daemon.get(), SHUT_RDWR);
}

void CuttingProxy::cut_all() {
    std::vector<Connection*> all;
    {
        const std::scoped_lock lock{mutex_};
        for (Connection& connection : connections_) all.push_back(&connection);
    }
    for (Connection* connection : all) cut(*connection);
}

}  // namespace rta::test
