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
#include <utility>
#include <vector>

#include "os/unique_fd.h"

namespace rta::client {

namespace {

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};
using Addresses = std::expected<std::vector<Address>, std::string>;

std::string describe(int error) { return std::generic_category().message(error); }

/// Calls poll(2) until a descriptor is ready, also if signals interrupt it. Returns false at the deadline.
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

/// getaddrinfo() has no timeout, so a name is resolved on a thread that is detached and abandoned at the deadline. A
/// numeric address needs no thread.
Addresses resolve(const TcpEndpoint& endpoint, const Deadline& deadline) {
    if (auto numeric = look_up(endpoint.host, endpoint.port, AI_NUMERICHOST)) return numeric;
    std::promise<Addresses> promise;
    std::future<Addresses> future = promise.get_future();
    std::thread([promise = std::move(promise), host = endpoint.host, port = endpoint.port]() mutable {
        promise.set_value(look_up(host, port, AI_ADDRCONFIG));
    }).detach();
    if (const auto moment = deadline.moment(); moment && future.wait_until(*moment) != std::future_status::ready) {
        return std::unexpected("timeout while resolving the host name");
    }
    return future.get();
}

std::expected<Address, std::string> unix_address(const std::string& path) {
    Address address;
    auto* unix_socket =
        reinterpret_cast<sockaddr_un*>(&address.storage);  // sockaddr_storage is meant to be accessed like this
    if (path.size() >= sizeof unix_socket->sun_path) {
        return std::unexpected("path too long: expected at most " + std::to_string(sizeof unix_socket->sun_path - 1) +
                               " bytes");
    }
    if (path.empty() || path.find('\0') != std::string::npos) return std::unexpected("invalid path");
    unix_socket->sun_family = AF_UNIX;
    std::memcpy(unix_socket->sun_path, path.data(), path.size());
    address.size = sizeof(sockaddr_un);
    return address;
}

/// A small request must not wait for the acknowledgement of the previous one. Keep-alive detects a daemon whose machine
/// is gone even if the client only waits for events.
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

/// Returns 0 or an errno value.
int connect_to(int descriptor, const Address& address, const Deadline& deadline) {
    while (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0) {
        if (errno == EAGAIN) {
            // Unix sockets only: the listener's queue is full, and the system does not report when it has room.
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

class Socket final : public ByteStream {
 public:
    explicit Socket(os::UniqueFd descriptor) : descriptor_{std::move(descriptor)} {}

    Readiness wait(bool for_writing, const Deadline& deadline, int interrupt_descriptor) override {
        const int events = for_writing ? POLLIN | POLLOUT : POLLIN;
        std::array descriptors{pollfd{descriptor_.get(), static_cast<short>(events), 0},
                               pollfd{interrupt_descriptor, POLLIN, 0}};
        if (!poll_until(descriptors, deadline)) return {};
        // Errors and hang-ups count as readable, because read() reports them.
        return {.readable = (descriptors[0].revents & ~POLLOUT) != 0,
                .writable = (descriptors[0].revents & POLLOUT) != 0,
                .interrupted = descriptors[1].revents != 0};
    }

    Transfer read(std::span<char> into) override {
        const ssize_t count = ::recv(descriptor_.get(), into.data(), into.size(), 0);
        if (count == 0) return {.closed = true, .reason = "rtad closed the socket"};
        return transferred(count);
    }

    Transfer write(std::string_view bytes) override {
        return transferred(::send(descriptor_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }

    [[nodiscard]] int descriptor() const noexcept override { return descriptor_.get(); }

    void close() noexcept override { descriptor_.reset(); }

 private:
    static Transfer transferred(ssize_t count) {
        if (count >= 0) return {.count = static_cast<std::size_t>(count)};
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
        return {.closed = true, .reason = describe(errno)};
    }

    os::UniqueFd descriptor_;
};

Addresses addresses_of(const Endpoint& endpoint, const Deadline& deadline) {
    if (const auto* tcp = std::get_if<TcpEndpoint>(&endpoint)) return resolve(*tcp, deadline);
    auto address = unix_address(std::get<UnixEndpoint>(endpoint).path);
    if (!address) return std::unexpected(std::move(address.error()));
    return std::vector{*address};
}

}  // namespace

std::expected<std::unique_ptr<ByteStream>, std::string> connect_socket(const Endpoint& endpoint,
                                                                       const Deadline& deadline) {
    const Addresses addresses = addresses_of(endpoint, deadline);
    if (!addresses) return std::unexpected(addresses.error());
    std::string reason = "the host has no address";
    for (std::size_t i = 0; i < addresses->size(); ++i) {
        const Address& address = (*addresses)[i];
        os::UniqueFd socket{::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
        const int error = socket ? connect_to(socket.get(), address, deadline.share(addresses->size() - i)) : errno;
        if (error != 0) {
            reason = describe(error);
            continue;
        }
        if (std::holds_alternative<TcpEndpoint>(endpoint)) tune_tcp(socket.get());
        return std::make_unique<Socket>(std::move(socket));
    }
    return std::unexpected(std::move(reason));
}

}  // namespace rta::client
