// SPDX-License-Identifier: MIT
#include "net/listen.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <asio/io_context.hpp>
#include <cerrno>
#include <utility>

#include "net/endpoint.h"

namespace rta::net {
namespace {

/// A client beyond it would try again after a second. The system may lower it (net.core.somaxconn).
constexpr int kBacklog = 1024;
constexpr mode_t kOwnerMode = 0600;
constexpr mode_t kGroupMode = 0660;

/// Asio opens sockets that a child process would inherit.
void set_close_on_exec(int descriptor) { ::fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

}  // namespace

Expected<ListeningSocket> listen_tcp(asio::io_context& io, std::string_view text) {
    const auto target = resolve_listen_target(text);
    if (!target) return std::unexpected(target.error());
    const asio::ip::tcp::endpoint& endpoint = target->endpoint;
    asio::ip::tcp::acceptor acceptor{io};
    asio::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) {
        set_close_on_exec(acceptor.native_handle());
        // A restarted daemon must be able to reuse the address while closed sockets of the previous one linger.
        acceptor.set_option(asio::socket_base::reuse_address{true}, error);
        acceptor.bind(endpoint, error);
    }
    if (!error) acceptor.listen(kBacklog, error);
    if (error) return cannot_listen(to_string(endpoint), error.value());
    const asio::ip::tcp::endpoint bound = acceptor.local_endpoint(error);
    if (error) return cannot_listen(to_string(endpoint), error.value());
    return ListeningSocket{.acceptor = std::move(acceptor),
                           .name = to_string(bound),
                           .tcp = true,
                           .tls = target->forces_tls || !endpoint.address().is_loopback()};
}

Expected<ListeningSocket> listen_unix(asio::io_context& io, const std::string& path, SocketAccess access) {
    const auto endpoint = unix_endpoint(path);
    if (!endpoint) return std::unexpected(endpoint.error());
    const auto folder = make_socket_folder(path);
    if (!folder) return std::unexpected(folder.error());
    // If two daemons find the same stale file, the second must see the socket of the first and not remove it.
    const auto lock = lock_socket_folder(*folder, path);
    if (!lock) return std::unexpected(lock.error());
    if (const auto removed = remove_stale_socket(path); !removed) return std::unexpected(removed.error());

    asio::local::stream_protocol::acceptor acceptor{io};
    asio::error_code error;
    acceptor.open(endpoint->protocol(), error);
    if (error) return cannot_listen(path, error.value());
    set_close_on_exec(acceptor.native_handle());
    // The file inherits the mode of the socket, so other users cannot connect at any time.
    if (::fchmod(acceptor.native_handle(), kOwnerMode) != 0) return cannot_listen(path, errno);
    acceptor.bind(*endpoint, error);
    if (error) return cannot_listen(path, error.value());
    SocketFile file{path};
    // Not set through the socket: there the umask, which all threads share, would remove the group's permissions.
    if (access == SocketAccess::group && ::chmod(path.c_str(), kGroupMode) != 0) return cannot_listen(path, errno);
    acceptor.listen(kBacklog, error);
    if (error) return cannot_listen(path, error.value());
    return ListeningSocket{.acceptor = std::move(acceptor), .name = path, .tcp = false, .file = std::move(file)};
}

}  // namespace rta::net
