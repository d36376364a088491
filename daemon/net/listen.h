// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "text/error.h"

namespace rta::api {

/// A socket that listens, close-on-exec and non-blocking, to be given to Asio. Closed with its owner.
class ListeningSocket {
 public:
    ListeningSocket(int descriptor, std::string name) : descriptor_{descriptor}, name_{std::move(name)} {}
    ListeningSocket(ListeningSocket&& other) noexcept
        : descriptor_{std::exchange(other.descriptor_, -1)}, name_{std::move(other.name_)} {}
    ListeningSocket& operator=(ListeningSocket&&) = delete;
    ~ListeningSocket();

    /// What it listens on: "127.0.0.1:7340", "[::1]:7340", or a path.
    [[nodiscard]] const std::string& name() const { return name_; }
    /// AF_INET, AF_INET6 or AF_UNIX.
    [[nodiscard]] int family() const;
    /// The caller owns the descriptor from here on.
    [[nodiscard]] int release() { return std::exchange(descriptor_, -1); }

 private:
    int descriptor_;
    std::string name_;
};

struct HostAndPort {
    std::string host;  ///< without brackets
    std::uint16_t port = 0;
};

/// `HOST:PORT`, `[IPV6]:PORT`. INVALID_ARGUMENT otherwise.
[[nodiscard]] Expected<HostAndPort> parse_address(std::string_view text);

/// Whether listen_tcp() will not refuse the address, as far as that can be told without opening it; the same errors.
/// Waits for the resolver if the host is a name.
[[nodiscard]] Expected<void> check_address(std::string_view text);
/// INVALID_ARGUMENT a path that is too long for a socket, or empty.
[[nodiscard]] Expected<void> check_socket_path(const std::string& path);

/// See Server::listen_tcp(). Waits for the resolver if the host is a name: for the start of the daemon only.
[[nodiscard]] Expected<ListeningSocket> listen_tcp(std::string_view address);

/// HOST:PORT from where a TCP socket's other end connects; empty if it is gone already.
[[nodiscard]] std::string peer_name(int descriptor);

/// The file of a Unix socket, removed at the end if it is still the one that was made.
class SocketFile {
 public:
    SocketFile() = default;
    /// Takes note of the file that is at `path` now.
    explicit SocketFile(std::string path);
    SocketFile(SocketFile&& other) noexcept { *this = std::move(other); }
    SocketFile& operator=(SocketFile&& other) noexcept;
    ~SocketFile() { remove(); }
    void remove();

 private:
    std::string path_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

struct UnixListener {
    ListeningSocket socket;
    SocketFile file;
};

/// Who may connect to a Unix socket: its mode. Who may enter its folder is another question.
enum class SocketAccess : std::uint8_t {
    owner,  ///< 0600
    group,  ///< 0660
};

/// See Server::listen_unix(). DEADLINE_EXCEEDED, after a second: somebody else holds the folder locked.
[[nodiscard]] Expected<UnixListener> listen_unix(const std::string& path, SocketAccess access = SocketAccess::owner);

}  // namespace rta::api
