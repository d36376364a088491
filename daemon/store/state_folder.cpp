// SPDX-License-Identifier: MIT
#include "store/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

#include "text/names.h"

namespace rta::store {
namespace {

constexpr const char* kGraph = "graph.json";
constexpr const char* kNew = "graph.json.new";
constexpr const char* kKept = "graph.json.kept-";
constexpr const char* kLock = "lock";
constexpr const char* kRestoring = "restoring";
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr int kMostKept = 10'000;
constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::chrono::milliseconds kLockLimit{1000};
constexpr std::chrono::milliseconds kLockInterval{10};

/// Closes what it holds.
class Descriptor {
 public:
    explicit Descriptor(int value) : value_{value} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    [[nodiscard]] int get() const { return value_; }
    [[nodiscard]] int release() { return std::exchange(value_, -1); }
    [[nodiscard]] explicit operator bool() const { return value_ >= 0; }
    /// False if the system reports only now what it could not write.
    [[nodiscard]] bool close() { return ::close(std::exchange(value_, -1)) == 0; }

 private:
    int value_;
};

/// "cannot WHAT PATH: REASON".
std::unexpected<Error> cannot(std::string_view what, std::string_view path, int error) {
    std::string sentence = "cannot ";
    sentence.append(what).append(" ").append(path).append(": ").append(std::generic_category().message(error));
    return fail(ErrorCode::unavailable, std::move(sentence));
}

/// A call that a signal may interrupt.
template <class Call>
auto retried(const Call& call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = retried([&] { return ::write(descriptor, text.data(), text.size()); });
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

bool sync(int descriptor) {
    return retried([&] { return ::fsync(descriptor); }) == 0;
}

/// Renames only onto a name that is free; EEXIST otherwise.
bool rename_to_free_name(int folder, const char* from, const char* to) {
    if (::renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    // A filesystem without RENAME_NOREPLACE. The lock keeps other daemons away between the look and the renaming.
    struct stat status{};
    if (::fstatat(folder, to, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return false;
    }
    return errno == ENOENT && ::renameat(folder, from, folder, to) == 0;
}

}  // namespace

StateFolder::Identity StateFolder::identity_of(const struct stat& status) {
    return {.device = status.st_dev,
            .inode = status.st_ino,
            .modified_ns = status.st_mtim.tv_sec * kSecondNs + status.st_mtim.tv_nsec,
            .bytes = status.st_size};
}

void StateFolder::close() {
    if (lock_ >= 0) ::close(std::exchange(lock_, -1));
    if (folder_ >= 0) ::close(std::exchange(folder_, -1));
}

/// The folder may have been removed, or something else been mounted over it.
bool StateFolder::still_there() const {
    struct stat ours{};
    struct stat theirs{};
    return ::fstat(folder_, &ours) == 0 && ::stat(path_.c_str(), &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

Expected<void> StateFolder::open() {
    if (folder_ >= 0 && lock_ >= 0 && still_there()) return {};
    close();
    if (auto opened = open_folder(); !opened) return opened;
    if (auto locked = lock(); !locked) return locked;
    ::unlinkat(folder_, kNew, 0);
    return {};
}

Expected<void> StateFolder::open_folder() {
    const bool made = ::mkdir(path_.c_str(), kFolderMode) == 0;
    if (!made && errno != EEXIST) {
        // A read-only filesystem says so even if the folder is there.
        const int error = errno;
        struct stat status{};
        if (::stat(path_.c_str(), &status) != 0) return cannot("make the state folder", path_, error);
    }
    folder_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_ < 0) return cannot("open the state folder", path_, errno);
    if (made) {
        const std::filesystem::path parent = std::filesystem::path{path_}.parent_path();
        const Descriptor above{::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        if (above) sync(above.get());
    }
    return {};
}

Expected<void> StateFolder::lock() {
    const std::string path = path_ + "/" + kLock;
    // A file of its own: a socket in the same folder locks the folder itself for the time of its making.
    Descriptor file{::openat(folder_, kLock, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, kFileMode)};
    if (!file) return cannot("open the lock", path, errno);
    // One that was just killed may still be giving back its memory, and holds the lock until it has.
    const auto give_up = std::chrono::steady_clock::now() + kLockLimit;
    while (retried([&] { return ::flock(file.get(), LOCK_EX | LOCK_NB); }) != 0) {
        if (errno != EWOULDBLOCK) return cannot("lock", path, errno);
        if (std::chrono::steady_clock::now() < give_up) {
            std::this_thread::sleep_for(kLockInterval);
            continue;
        }
        return fail(ErrorCode::already_exists, "the state folder " + path_ +
                                                   " is in use by another rtad; end that one, or give this one a "
                                                   "--state-dir of its own");
    }
    lock_ = file.release();
    return {};
}

Expected<std::optional<std::string>> StateFolder::read_graph() {
    if (folder_ < 0) return std::nullopt;
    // Not blocking: a FIFO of that name would wait for a writer.
    const Descriptor file{::openat(folder_, kGraph, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    if (!file) {
        if (errno == ENOENT) {
            // A link that leads nowhere is something of that name, too.
            struct stat link{};
            if (::fstatat(folder_, kGraph, &link, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
            errno = ENOENT;
        }
        return cannot("read", graph_path(), errno);
    }
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return cannot("read", graph_path(), errno);
    if (!S_ISREG(status.st_mode)) return fail(ErrorCode::invalid_argument, graph_path() + " is no regular file");
    std::string text;
    char part[std::size_t{64} * 1024];
    while (true) {
        const ssize_t got = retried([&] { return ::read(file.get(), part, sizeof part); });
        if (got < 0) return cannot("read", graph_path(), errno);
        if (got == 0) break;
        text.append(part, static_cast<std::size_t>(got));
        if (text.size() > kLongestBytes) {
            return fail(ErrorCode::invalid_argument, graph_path() + " has more than 16 MiB");
        }
    }
    own_ = identity_of(status);
    return text;
}

unsigned StateFolder::begin_restore() {
    if (lock_ < 0) return 0;
    // Not waited for on the disk: what it is to outlive is this process, and not the machine.
    const Descriptor file{
        ::openat(folder_, kRestoring, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, kFileMode)};
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
    char text[16];
    const ssize_t got = retried([&] { return ::pread(file.get(), text, sizeof text, 0); });
    unsigned begun = 0;
    if (got > 0) std::from_chars(text, text + got, begun);
    const bool noted = ::ftruncate(file.get(), 0) == 0 && write_all(file.get(), std::to_string(begun + 1) + "\n");
    return noted ? begun : 0;
}

void StateFolder::end_restore() {
    if (folder_ >= 0) ::unlinkat(folder_, kRestoring, 0);
}

std::vector<std::string> StateFolder::files_in(const std::string& path) {
    std::vector<std::string> files;
    for (const char* const name : {kGraph, kNew, kLock, kRestoring}) files.push_back(path + "/" + name);
    return files;
}

Expected<std::string> StateFolder::keep_aside() {
    own_.reset();
    for (int number = 1; number <= kMostKept; ++number) {
        const std::string name = kKept + std::to_string(number);
        if (rename_to_free_name(folder_, kGraph, name.c_str())) {
            return path_ + "/" + name;
        }
        if (errno != EEXIST) return cannot("keep aside", graph_path(), errno);
    }
    return fail(ErrorCode::resource_exhausted, "cannot keep aside " + graph_path() + ": there are " +
                                                   std::to_string(kMostKept) + " files kept aside already");
}

Expected<std::optional<std::string>> StateFolder::write_graph(std::string_view text) {
    if (text.size() > kLongestBytes) {
        return fail(ErrorCode::resource_exhausted, "cannot write " + graph_path() + ": the document has " +
                                                       std::to_string(text.size()) +
                                                       " bytes, and no more than 16 MiB would be read again");
    }
    if (auto opened = open(); !opened) return std::unexpected(std::move(opened.error()));
    auto kept = keep_foreign_aside();
    if (!kept) return kept;
    auto written = write_new(text);
    if (written) written = replace();
    if (!written) {
        ::unlinkat(folder_, kNew, 0);
        return std::unexpected(std::move(written.error()));
    }
    return kept;
}

Expected<std::optional<std::string>> StateFolder::keep_foreign_aside() {
    struct stat status{};
    if (::fstatat(folder_, kGraph, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return std::nullopt;
        return cannot("look at", graph_path(), errno);
    }
    if (own_ == identity_of(status)) return std::nullopt;
    auto kept = keep_aside();
    if (!kept) return std::unexpected(std::move(kept.error()));
    return std::move(*kept);
}

Expected<void> StateFolder::write_new(std::string_view text) {
    const std::string path = path_ + "/" + kNew;
    Descriptor file{::openat(folder_, kNew, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, kFileMode)};
    // close() too: some filesystems report a full disk no earlier.
    if (!file || !write_all(file.get(), text) || !sync(file.get()) || !file.close()) {
        return cannot("write", path, errno);
    }
    return {};
}

Expected<void> StateFolder::replace() {
    struct stat status{};
    if (::fstatat(folder_, kNew, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        ::renameat(folder_, kNew, folder_, kGraph) != 0) {
        return cannot("replace", graph_path(), errno);
    }
    own_ = identity_of(status);
    if (!sync(folder_)) return cannot("write", path_, errno);
    return {};
}

}  // namespace rta::store
