// SPDX-License-Identifier: MIT
#include "io/locked_file.h"

#include <fcntl.h>

#include "os/file.h"
#include "os/file_lock.h"

namespace rta::io {

os::Result<os::UniqueFd> open_locked(const std::string& path) {
    os::UniqueFd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666)};
    if (!file) return os::fail_with_errno();
    const auto locked = os::try_lock(file.get());
    if (!locked && locked.error() == std::errc::operation_would_block) return std::unexpected(locked.error());
    return file;
}

std::string describe_lock_error(std::error_code error) {
    return error == std::errc::operation_would_block ? "another rtad is writing to it" : error.message();
}

}  // namespace rta::io
