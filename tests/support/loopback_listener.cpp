// SPDX-License-Identifier: MIT
#include "support/loopback_listener.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace rta::test {

LoopbackListener::LoopbackListener(std::function<void(os::UniqueFd)> on_client)
    : on_client_{std::move(on_client)}, listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* general = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), general, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), general, &size) != 0) {
        throw std::runtime_error("cannot listen: " + std::generic_category().message(errno));
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { accept_all(); }};
}

void LoopbackListener::stop() {
    if (!thread_.joinable()) return;
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
}

void LoopbackListener::accept_all() {
    for (;;) {
        os::UniqueFd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        if (!client && errno == EINTR) continue;
        if (!client) return;
        on_client_(std::move(client));
    }
}

}  // namespace rta::test
