// SPDX-License-Identifier: MIT
#include "os/file_operations.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "os/file.h"

namespace rta::os {
namespace {

Result<void> write_zeros(int fd, off_t offset, off_t bytes) {
    static constexpr char kZeros[4096] = {};
    while (bytes > 0) {
        const off_t part = std::min<off_t>(bytes, sizeof kZeros);
        if (auto written = write_all_at(fd, {kZeros, static_cast<std::size_t>(part)}, offset); !written) return written;
        offset += part;
        bytes -= part;
    }
    return {};
}

}  // namespace

Result<UniqueFd> FileOperations::create(int folder, const std::string& name, mode_t mode) {
    return create_file(folder, name, O_RDWR, mode);
}

Result<void> FileOperations::write_at(int fd, std::string_view text, off_t offset) {
    return write_all_at(fd, text, offset);
}

Result<void> FileOperations::reserve(int fd, off_t offset, off_t bytes) {
    if (retried([&] { return ::fallocate(fd, 0, offset, bytes); }) == 0) return {};
    // A file system without fallocate(2).
    auto reserved = errno == EOPNOTSUPP ? write_zeros(fd, offset, bytes) : fail_with_errno();
    if (reserved) return reserved;
    // Frees what has been reserved of it.
    [[maybe_unused]] const int ignored = ::ftruncate(fd, offset);
    return reserved;
}

Result<void> FileOperations::sync_data(int fd) {
    if (retried([&] { return ::fdatasync(fd); }) != 0) return fail_with_errno();
    return {};
}

Result<void> FileOperations::sync_folder(int folder) { return sync(folder); }

Result<void> FileOperations::rename(int folder, const std::string& from, const std::string& to) {
    if (::renameat(folder, from.c_str(), folder, to.c_str()) != 0) return fail_with_errno();
    return {};
}

FileOperations& FileOperations::system() {
    static FileOperations operations;
    return operations;
}

}  // namespace rta::os
