// SPDX-License-Identifier: MIT
#include "os/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace rta::os {

namespace {

Result<void> rename_unless_exists(int folder, const char* from, const char* to) {
    if (::renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0) return {};
    if (errno != EINVAL && errno != ENOSYS) return fail_with_errno();
    // A file system without RENAME_NOREPLACE. Another process could create the file between the two calls.
    struct stat status{};
    if (::fstatat(folder, to, &status, AT_SYMLINK_NOFOLLOW) == 0) errno = EEXIST;
    if (errno == ENOENT && ::renameat(folder, from, folder, to) == 0) return {};
    return fail_with_errno();
}

}  // namespace

Result<UniqueFd> open_to_read(const std::string& path) { return open_to_read(AT_FDCWD, path); }

Result<UniqueFd> open_to_read(int folder, const std::string& path) {
    UniqueFd file{::openat(folder, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
    if (!file) return fail_with_errno();
    return file;
}

Result<UniqueFd> create_file(int folder, const std::string& name, int access, mode_t mode) {
    ::unlinkat(folder, name.c_str(), 0);
    UniqueFd file{::openat(folder, name.c_str(), access | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)};
    if (!file) return fail_with_errno();
    return file;
}

Result<UniqueFd> open_folder(const std::string& path) {
    UniqueFd folder{::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder) return fail_with_errno();
    return folder;
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_regular_file(int fd) {
    struct stat status{};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

Result<bool> others_may_access(int fd) {
    constexpr mode_t kOthers = 0077;
    struct stat status{};
    if (::fstat(fd, &status) != 0) return std::unexpected(last_error());
    return S_ISREG(status.st_mode) && status.st_uid == ::getuid() && (status.st_mode & kOthers) != 0;
}

Result<std::string> read_to_end(int fd, std::size_t most_bytes) {
    std::string text;
    char part[std::size_t{64} * 1024];
    while (true) {
        const ssize_t count = retried([&] { return ::read(fd, part, sizeof part); });
        if (count < 0) return fail_with_errno();
        if (count == 0) return text;
        text.append(part, static_cast<std::size_t>(count));
        if (text.size() > most_bytes) return std::unexpected(make_error_code(std::errc::file_too_large));
    }
}

Result<void> write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = retried([&] { return ::write(fd, text.data(), text.size()); });
        if (count < 0) return fail_with_errno();
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<void> write_all_at(int fd, std::string_view text, off_t offset) {
    while (!text.empty()) {
        const ssize_t count = retried([&] { return ::pwrite(fd, text.data(), text.size(), offset); });
        if (count < 0) return fail_with_errno();
        text.remove_prefix(static_cast<std::size_t>(count));
        offset += count;
    }
    return {};
}

Result<void> sync(int fd) {
    if (retried([&] { return ::fsync(fd); }) != 0) return fail_with_errno();
    return {};
}

Result<void> close(UniqueFd fd) {
    if (::close(fd.release()) != 0) return fail_with_errno();
    return {};
}

mode_t mode_of_new_file() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666 & ~mask;
}

void give_to_owner_of(int fd, const std::string& path) {
    if (::geteuid() != 0) return;
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0 && ::stat(folder_of(path).c_str(), &status) != 0) return;
    // A file system without owners refuses this, and needs it not.
    [[maybe_unused]] const int ignored = ::fchown(fd, status.st_uid, status.st_gid);
}

Result<std::string> rename_to_free_name(int folder, const std::string& name, std::string_view suffix) {
    constexpr int kMost = 10'000;
    for (int number = 1; number <= kMost; ++number) {
        std::string free_name = name + std::string{suffix} + std::to_string(number);
        const auto renamed = rename_unless_exists(folder, name.c_str(), free_name.c_str());
        if (renamed) return free_name;
        if (renamed.error() != std::errc::file_exists) return std::unexpected(renamed.error());
    }
    return std::unexpected(make_error_code(std::errc::file_exists));
}

}  // namespace rta::os
