// SPDX-License-Identifier: MIT
#include "net/listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "text/names.h"

namespace rta::api {
namespace {

constexpr int kBacklog = 128;
/// Another daemon that is just starting holds the folder for a few milliseconds.
constexpr std::chrono::milliseconds kLockLimit{1000};
constexpr std::chrono::milliseconds kLockInterval{10};
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kOwnerMode = 0600;
constexpr mode_t kGroupMode = 0660;

/// Closes what it holds; used for everything that ends with the function that opened it.
class Descriptor {
 public:
    explicit Descriptor(int value) : value_{value} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&& other) noexcept : value_{other.release()} {}
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    [[nodiscard]] int get() const { return value_; }
    [[nodiscard]] int release() { return std::exchange(value_, -1); }
    [[nodiscard]] explicit operator bool() const { return value_ >= 0; }

 private:
    int value_;
};

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

std::unexpected<Error> cannot_listen(std::string_view where, int error) {
    std::string sentence = "cannot listen on ";
    sentence.append(where).append(": ").append(reason(error));
    if (error == EADDRINUSE) sentence += "; another program listens there, perhaps another rtad";
    return fail(code_of(error), std::move(sentence));
}

/// The socket calls take any family through the same base struct.
const sockaddr* as_sockaddr(const void* address) { return static_cast<const sockaddr*>(address); }
sockaddr* as_sockaddr(void* address) { return static_cast<sockaddr*>(address); }

struct AddressListDeleter {
    void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListDeleter>;

struct ResolvedAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;
};

/// The first IPv4 address, else the first IPv6 one.
Expected<ResolvedAddress> find_address(const HostAndPort& address, std::string_view text) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int status = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
    const AddressList list{found};
    if (status != 0) {
        return fail(ErrorCode::not_found, "cannot listen on " + quoted(text) + ": host " + quoted(address.host) +
                                              " has no address (" + gai_strerror(status) + ")");
    }
    const addrinfo* chosen = nullptr;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
        const bool better = chosen == nullptr || (chosen->ai_family != AF_INET && one->ai_family == AF_INET);
        if ((one->ai_family == AF_INET || one->ai_family == AF_INET6) && better) chosen = one;
    }
    if (chosen == nullptr) {
        return fail(ErrorCode::not_found, "cannot listen on " + quoted(text) + ": the host has no IP address");
    }
    ResolvedAddress resolved;
    std::memcpy(&resolved.storage, chosen->ai_addr, chosen->ai_addrlen);
    resolved.length = chosen->ai_addrlen;
    return resolved;
}

bool is_loopback(const sockaddr_storage& storage) {
    if (storage.ss_family == AF_INET) {
        sockaddr_in address{};
        std::memcpy(&address, &storage, sizeof address);
        return (ntohl(address.sin_addr.s_addr) >> 24U) == 127;
    }
    sockaddr_in6 address{};
    std::memcpy(&address, &storage, sizeof address);
    return IN6_IS_ADDR_LOOPBACK(&address.sin6_addr) != 0;
}

std::string name_of(const sockaddr_storage& storage) {
    char text[INET6_ADDRSTRLEN] = {};
    std::string name;
    if (storage.ss_family == AF_INET) {
        sockaddr_in address{};
        std::memcpy(&address, &storage, sizeof address);
        inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
        name.append(text).append(":").append(std::to_string(ntohs(address.sin_port)));
    } else {
        sockaddr_in6 address{};
        std::memcpy(&address, &storage, sizeof address);
        inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
        name.append("[").append(text).append("]:").append(std::to_string(ntohs(address.sin6_port)));
    }
    return name;
}

/// Of a loopback interface: nothing else may be listened on.
Expected<ResolvedAddress> resolve(std::string_view text) {
    const auto address = parse_address(text);
    if (!address) return std::unexpected(address.error());
    auto found = find_address(*address, text);
    if (found && !is_loopback(found->storage)) {
        return fail(ErrorCode::permission_denied,
                    "refused to listen on " + name_of(found->storage) +
                        ": it can be reached from other machines, and this version has neither TLS nor access tokens; "
                        "listen on a loopback address, such as 127.0.0.1:7340 or [::1]:7340");
    }
    return found;
}

Expected<sockaddr_un> unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string::npos) {
        return fail(ErrorCode::invalid_argument, "socket path " + quoted(path) + " has " + std::to_string(path.size()) +
                                                     " bytes; the path of a Unix socket has 1 to " +
                                                     std::to_string(sizeof address.sun_path - 1));
    }
    std::ranges::copy(path, address.sun_path);
    return address;
}

Expected<std::string> make_folder(const std::string& path) {
    const std::filesystem::path parent = std::filesystem::path{path}.parent_path();
    std::string folder{parent.empty() ? "." : parent.c_str()};
    if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
        return fail(code_of(errno), "cannot make folder " + quoted(folder) + " for the socket: " + reason(errno));
    }
    return folder;
}

/// Held until it is closed. Whoever may enter the folder may lock it, too: it is not waited for without end.
Expected<Descriptor> lock_folder(const std::string& folder, std::string_view path) {
    Descriptor lock{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!lock) return cannot_listen(path, errno);
    const auto give_up = std::chrono::steady_clock::now() + kLockLimit;
    while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return cannot_listen(path, errno);
        if (std::chrono::steady_clock::now() >= give_up) {
            return fail(ErrorCode::deadline_exceeded, "cannot listen on " + std::string{path} +
                                                          ": another program holds its folder " + folder +
                                                          " locked; lslocks names it");
        }
        std::this_thread::sleep_for(kLockInterval);
    }
    return lock;
}

/// Removes a socket file that nobody listens on. Does nothing if there is no file.
Expected<void> remove_stale(const std::string& path, const sockaddr_un& address) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return {};
        return cannot_listen(path, errno);
    }
    if (!S_ISSOCK(status.st_mode)) {
        return fail(ErrorCode::already_exists,
                    "cannot listen on " + path + ": there is a file of that name that is no socket");
    }
    const Descriptor probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!probe) return cannot_listen(path, errno);
    // EAGAIN: the listener is there and its backlog is full.
    if (::connect(probe.get(), as_sockaddr(&address), sizeof address) == 0 || errno == EAGAIN) {
        return cannot_listen(path, EADDRINUSE);
    }
    if (errno != ECONNREFUSED) return cannot_listen(path, errno);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return cannot_listen(path, errno);
    return {};
}

}  // namespace

ListeningSocket::~ListeningSocket() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

int ListeningSocket::family() const {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    ::getsockname(descriptor_, as_sockaddr(&address), &length);
    return address.ss_family;
}

Expected<HostAndPort> parse_address(std::string_view text) {
    const auto refuse = [&] {
        return fail(
            ErrorCode::invalid_argument,
            quoted(text) + " is no address to listen on; write HOST:PORT, such as 127.0.0.1:7340 or [::1]:7340");
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return refuse();
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    // "::1:7340" could be read in two ways.
    if (host.empty() || host.find_first_of(bracketed ? "[]" : "[]:") != std::string_view::npos) return refuse();
    HostAndPort address{std::string{host}, 0};
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc{} || end != port.data() + port.size()) return refuse();
    return address;
}

std::string peer_name(int descriptor) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getpeername(descriptor, as_sockaddr(&address), &length) != 0) return {};
    return name_of(address);
}

Expected<void> check_address(std::string_view text) {
    if (const auto resolved = resolve(text); !resolved) return std::unexpected(resolved.error());
    return {};
}

Expected<void> check_socket_path(const std::string& path) {
    if (const auto address = unix_address(path); !address) return std::unexpected(address.error());
    return {};
}

Expected<ListeningSocket> listen_tcp(std::string_view text) {
    const auto resolved = resolve(text);
    if (!resolved) return std::unexpected(resolved.error());
    const std::string wanted = name_of(resolved->storage);
    Descriptor socket{::socket(resolved->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) return cannot_listen(wanted, errno);
    // A daemon that is started again may take the address over from its closed connections.
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket.get(), as_sockaddr(&resolved->storage), resolved->length) != 0 ||
        ::listen(socket.get(), kBacklog) != 0) {
        return cannot_listen(wanted, errno);
    }
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    if (::getsockname(socket.get(), as_sockaddr(&bound), &length) != 0) return cannot_listen(wanted, errno);
    return ListeningSocket{socket.release(), name_of(bound)};
}

SocketFile::SocketFile(std::string path) : path_{std::move(path)} {
    struct stat status{};
    if (::lstat(path_.c_str(), &status) != 0) {
        path_.clear();
        return;
    }
    device_ = status.st_dev;
    inode_ = status.st_ino;
}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
    if (this == &other) return *this;
    remove();
    path_ = std::exchange(other.path_, {});
    device_ = other.device_;
    inode_ = other.inode_;
    return *this;
}

void SocketFile::remove() {
    struct stat status{};
    const bool ours =
        !path_.empty() && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
    if (ours) ::unlink(path_.c_str());
    path_.clear();
}

Expected<UnixListener> listen_unix(const std::string& path, SocketAccess access) {
    const auto address = unix_address(path);
    if (!address) return std::unexpected(address.error());
    const auto folder = make_folder(path);
    if (!folder) return std::unexpected(folder.error());
    // Of two daemons that find the same stale file, the second must see the first's socket: one at a time from here on.
    const auto lock = lock_folder(*folder, path);
    if (!lock) return std::unexpected(lock.error());
    if (const auto removed = remove_stale(path, *address); !removed) return std::unexpected(removed.error());
    Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    // The mode of the socket becomes that of the file, so there is no moment at which others could connect.
    if (!socket || ::fchmod(socket.get(), kOwnerMode) != 0 ||
        ::bind(socket.get(), as_sockaddr(&*address), sizeof *address) != 0) {
        return cannot_listen(path, errno);
    }
    SocketFile file{path};
    // Not by the mode of the socket: the umask, which belongs to all threads, would take the group's part away.
    if (access == SocketAccess::group && ::chmod(path.c_str(), kGroupMode) != 0) return cannot_listen(path, errno);
    if (::listen(socket.get(), kBacklog) != 0) return cannot_listen(path, errno);
    return UnixListener{ListeningSocket{socket.release(), path}, std::move(file)};
}

}  // namespace rta::api
