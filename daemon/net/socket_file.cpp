// SPDX-License-Identifier: MIT
#include "net/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "net/endpoint.h"
#include "os/file.h"
#include "os/file_lock.h"
#include "text/quoting.h"

namespace rta::net {
namespace {

constexpr mode_t kFolderMode = 0700;

std::string reason(int error) { return std::generic_category().message(error); }

ErrorCode code_of(int error) {
    switch (error) {
        case EADDRINUSE:
            return ErrorCode::already_exists;
        case EACCES:
        case EPERM:
            return ErrorCode::permission_denied;
        default:
            return ErrorCode::unavailable;
    }
}

}  // namespace

std::unexpected<Error> cannot_listen(const std::string& where, int error) {
    std::string sentence = "cannot listen on " + where + ": " + reason(error);
    if (error == EADDRINUSE) sentence += "; another process listens there, possibly another rtad";
    return fail(code_of(error), std::move(sentence));
}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
    if (this == &other) return *this;
    remove();
    path_ = std::move(other.path_);
    identity_ = std::exchange(other.identity_, std::nullopt);
    return *this;
}

void SocketFile::remove() {
    if (identity_ && os::FileIdentity::at(path_) == identity_) ::unlink(path_.c_str());
    identity_.reset();
}

Expected<std::string> make_socket_folder(const std::string& path) {
    std::string folder = os::folder_of(path);
    if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
        return fail(code_of(errno), "cannot create folder " + quoted(folder) + " for the socket: " + reason(errno));
    }
    return folder;
}

Expected<os::UniqueFd> lock_socket_folder(const std::string& folder, const std::string& path) {
    auto lock = os::lock_folder(folder);
    if (lock) return std::move(*lock);
    if (lock.error() != std::errc::operation_would_block) return cannot_listen(path, lock.error().value());
    return fail(ErrorCode::deadline_exceeded, "cannot listen on " + path + ": another process has locked its folder " +
                                                  folder + "; lslocks shows which");
}

Expected<void> remove_stale_socket(const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return {};
        return cannot_listen(path, errno);
    }
    if (!S_ISSOCK(status.st_mode)) {
        return fail(ErrorCode::already_exists, "cannot listen on " + path + ": the file exists and is not a socket");
    }
    const auto endpoint = unix_endpoint(path);
    if (!endpoint) return std::unexpected(endpoint.error());
    const os::UniqueFd probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!probe) return cannot_listen(path, errno);
    // EAGAIN: a process listens, and its backlog is full.
    if (::connect(probe.get(), endpoint->data(), static_cast<socklen_t>(endpoint->size())) == 0 || errno == EAGAIN) {
        return cannot_listen(path, EADDRINUSE);
    }
    if (errno != ECONNREFUSED) return cannot_listen(path, errno);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return cannot_listen(path, errno);
    return {};
}

}  // namespace rta::net
