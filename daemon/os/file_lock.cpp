// SPDX-License-Identifier: MIT
#include "os/file_lock.h"

#include <sys/file.h>

#include <thread>

#include "os/file.h"

namespace rta::os {

Result<void> try_lock(int fd) {
    if (retried([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) != 0) return fail_with_errno();
    return {};
}

Result<void> lock(int fd, std::chrono::milliseconds timeout) {
    constexpr std::chrono::milliseconds kInterval{10};
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (true) {
        const auto locked = try_lock(fd);
        const bool is_taken = !locked && locked.error() == std::errc::operation_would_block;
        if (!is_taken || std::chrono::steady_clock::now() >= deadline) return locked;
        std::this_thread::sleep_for(kInterval);
    }
}

Result<UniqueFd> lock_folder(const std::string& path, std::chrono::milliseconds timeout) {
    auto folder = open_folder(path);
    if (!folder) return folder;
    if (const auto locked = lock(folder->get(), timeout); !locked) return std::unexpected(locked.error());
    return folder;
}

}  // namespace rta::os
