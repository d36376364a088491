// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "os/file_identity.h"
#include "os/unique_fd.h"
#include "text/error.h"

namespace rta::net {

/// The file of a bound Unix socket. Removes the file on destruction, unless another file has taken its place.
class SocketFile {
 public:
    SocketFile() = default;
    /// Remembers the identity of the file that exists at `path`.
    explicit SocketFile(std::string path) : path_{std::move(path)}, identity_{os::FileIdentity::at(path_)} {}
    SocketFile(SocketFile&& other) noexcept { *this = std::move(other); }
    SocketFile& operator=(SocketFile&& other) noexcept;
    ~SocketFile() { remove(); }
    void remove();

 private:
    std::string path_;
    std::optional<os::FileIdentity> identity_;  ///< none: there is no file to remove
};

/// Creates the folder of the socket at `path` if it does not exist, with mode 0700. Returns the folder.
[[nodiscard]] Expected<std::string> make_socket_folder(const std::string& path);

/// Locks `folder` for the creation of the socket at `path`, until the descriptor is closed. Errors: those of
/// Server::listen_unix(); DEADLINE_EXCEEDED after one second, if another process holds the lock.
[[nodiscard]] Expected<os::UniqueFd> lock_socket_folder(const std::string& folder, const std::string& path);

/// Removes a stale socket file, on which no process listens. Does nothing if `path` does not exist. Errors:
/// ALREADY_EXISTS if a process listens on it or if it is not a socket.
[[nodiscard]] Expected<void> remove_stale_socket(const std::string& path);

/// The error "cannot listen on `where`", with the system's description of errno value `error`.
[[nodiscard]] std::unexpected<Error> cannot_listen(const std::string& where, int error);

}  // namespace rta::net
