// SPDX-License-Identifier: MIT
#include "rta/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

namespace rta::client {

namespace {

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};
using Addresses = std::expected<std::vector<Address>, std::string>;

std::string describe(int error) { return std::generic_category().message(error); }

/// Repeats poll(2) over signals until the deadline. False: the deadline passed.
bool poll_until(std::span<pollfd> descriptors, const Deadline& deadline) {
    for (;;) {
        const int ready = ::poll(descriptors.data(), descriptors.size(), deadline.poll_timeout());
        if (ready > 0) return true;
        if (ready == 0 && deadline.passed()) return false;
        if (ready < 0 && errno != EINTR && errno != EAGAIN) return false;
    }
}

Addresses look_up(const std::string& host, std::uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (error != 0) return std::unexpected(error == EAI_SYSTEM ? describe(errno) : std::string{::gai_strerror(error)});
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
    std::vector<Address> addresses;
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        Address address;
        address.size = entry->ai_addrlen;
        std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
        addresses.push_back(address);
    }
    return addresses;
}

/// getaddrinfo() cannot be given a deadline, so a name is looked up on a thread that is left behind if it takes too
/// long. A numeric address needs none of it.
Addresses resolve(const TcpEndpoint& endpoint, const Deadline& deadline) {
    if (auto numeric = look_up(endpoint.host, endpoint.port, AI_NUMERICHOST)) return numeric;
    std::promise<Addresses> promise;
    std::future<Addresses> future = promise.get_future();
    std::thread([promise = std::move(promise), host = endpoint.host, port = endpoint.port]() mutable {
        promise.set_value(look_up(host, port, AI_ADDRCONFIG));
    }).detach();
    if (const auto moment = deadline.moment(); moment && future.wait_until(*moment) != std::future_status::ready) {
        return std::unexpected("the name was not resolved in time");
    }
    return future.get();
}

std::expected<Address, std::string> unix_address(const std::string& path) {
    Address address;
    auto* unix_socket =
        reinterpret_cast<sockaddr_un*>(&address.storage);  // sockaddr_storage exists to be seen as any of them
    if (path.size() >= sizeof unix_socket->sun_path) {
        return std::unexpected("a socket's path may have " + std::to_string(sizeof unix_socket->sun_path - 1) +
                               " bytes");
    }
    if (path.empty() || path.find('\0') != std::string::npos) return std::unexpected("this is no path");
    unix_socket->sun_family = AF_UNIX;
    std::memcpy(unix_socket->sun_path, path.data(), path.size());
    address.size = sizeof(sockaddr_un);
    return address;
}

/// A small request must not wait for the acknowledgement of the one before it, and a peer whose machine vanished must
/// be noticed by somebody who only listens.
void tune_tcp(int descriptor) {
    const int on = 1;
    const int idle_s = 15;
    const int interval_s = 5;
    const int probes = 3;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

/// 0, or the errno of the failure.
int connect_to(int descriptor, const Address& address, const Deadline& deadline) {
    while (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0) {
        if (errno == EAGAIN) {
            // Unix sockets only: the listener's queue is full, and nothing tells when it no longer is.
            if (deadline.passed()) return ETIMEDOUT;
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
            continue;
        }
        if (errno != EINPROGRESS && errno != EINTR) return errno;
        std::array descriptors{pollfd{descriptor, POLLOUT, 0}};
        if (!poll_until(descriptors, deadline)) return ETIMEDOUT;
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
        return error;
    }
    return 0;
}

}  // namespace

std::expected<Socket, std::string> Socket::connect(const Endpoint& endpoint, const Deadline& deadline) {
    Addresses addresses;
    if (const auto* tcp = std::get_if<TcpEndpoint>(&endpoint)) {
        addresses = resolve(*tcp, deadline);
    } else {
        auto address = unix_address(std::get<UnixEndpoint>(endpoint).path);
        if (!address) return std::unexpected(std::move(address.error()));
        addresses = std::vector{*address};
    }
    if (!addresses) return std::unexpected(std::move(addresses.error()));

    std::string reason = "the name has no address";
    for (std::size_t i = 0; i < addresses->size(); ++i) {
        const Address& address = (*addresses)[i];
        Socket socket{::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
        if (socket.descriptor() < 0) {
            reason = describe(errno);
            continue;
        }
        if (const int error = connect_to(socket.descriptor(), address, deadline.share(addresses->size() - i));
            error != 0) {
            reason = describe(error);
            continue;
        }
        if (address.storage.ss_family != AF_UNIX) tune_tcp(socket.descriptor());
        return socket;
    }
    return std::unexpected(std::move(reason));
}

void Socket::close() noexcept {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

Socket::Readiness Socket::wait(bool for_writing, const Deadline& deadline, int interrupt_descriptor) const {
    const int events = for_writing ? POLLIN | POLLOUT : POLLIN;
    std::array descriptors{pollfd{descriptor_, static_cast<short>(events), 0}, pollfd{interrupt_descriptor, POLLIN, 0}};
    if (!poll_until(descriptors, deadline)) return {};
    // An error or a hang-up is for read() to find out about.
    return {.readable = (descriptors[0].revents & ~POLLOUT) != 0,
            .writable = (descriptors[0].revents & POLLOUT) != 0,
            .interrupted = descriptors[1].revents != 0};
}

Socket::Transfer Socket::read(std::span<char> bytes) const {
    const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (count > 0) return {.count = static_cast<std::size_t>(count)};
    if (count == 0) return {.closed = true, .reason = "the other side closed the connection"};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
    return {.closed = true, .reason = describe(errno)};
}

Socket::Transfer Socket::write(std::string_view bytes) const {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) return {.count = static_cast<std::size_t>(count)};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
    return {.closed = true, .reason = describe(errno)};
}

}  // namespace rta::client
