// SPDX-License-Identifier: MIT
#include "os/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <string_view>
#include <utility>

namespace rta::os {
namespace {

/// Of every open: devices and FIFOs must not block, and no file may become the terminal or follow a link.
constexpr int kSafeFlags = O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW;

/// Returns the first component of a path, and removes it and its slash.
std::string_view take_component(std::string_view& path) {
    const std::size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    return component;
}

int open_by_kernel(int folder, const std::string& path, int flags, mode_t mode) {
    open_how how{};
    how.flags = static_cast<decltype(how.flags)>(flags | kSafeFlags);
    how.mode = (flags & O_CREAT) != 0 ? mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
    return static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
}

/// Without `..` and links, each component lies in the folder before it, whatever other processes rename.
int open_step_by_step(int folder, std::string_view path, int flags, mode_t mode) {
    UniqueFd at;
    while (true) {
        const std::string component{take_component(path)};
        const int from = at ? at.get() : folder;
        if (path.empty()) return ::openat(from, component.c_str(), flags | kSafeFlags, mode);
        UniqueFd next{::openat(from, component.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
        if (!next) return -1;
        at = std::move(next);
    }
}

bool is_missing(int error) { return error == ENOSYS || error == EPERM; }

}  // namespace

bool is_plain_relative_path(const std::string& path) {
    std::string_view rest = path;
    if (path.empty() || path.back() == '/' || path.find('\0') != std::string::npos) return false;
    while (!rest.empty()) {
        const std::string_view component = take_component(rest);
        if (component.empty() || component == "." || component == "..") return false;
    }
    return true;
}

Result<UniqueFd> open_beneath(int folder, const std::string& path, int flags, mode_t mode, Resolution resolution) {
    if (!is_plain_relative_path(path)) return std::unexpected(make_error_code(std::errc::invalid_argument));
    UniqueFd file;
    if (resolution == Resolution::by_kernel)
        file = UniqueFd{retried([&] { return open_by_kernel(folder, path, flags, mode); })};
    // A seccomp filter of a container reports EPERM, as a file without permission may: the fallback then fails, too.
    if (resolution == Resolution::step_by_step || (!file && is_missing(errno)))
        file = UniqueFd{retried([&] { return open_step_by_step(folder, path, flags, mode); })};
    if (!file) return fail_with_errno();
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return fail_with_errno();
    if (!S_ISREG(status.st_mode)) return std::unexpected(make_error_code(std::errc::not_supported));
    return file;
}

}  // namespace rta::os
