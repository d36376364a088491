// SPDX-License-Identifier: MIT
#include "os/file_identity.h"

namespace rta::os {

FileIdentity FileIdentity::of(const struct stat& status) { return {.device = status.st_dev, .inode = status.st_ino}; }

std::optional<FileIdentity> FileIdentity::at(const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
    return of(status);
}

FileVersion FileVersion::of(const struct stat& status) {
    constexpr std::int64_t kSecondNs = 1'000'000'000;
    return {.file = FileIdentity::of(status),
            .modified_ns = status.st_mtim.tv_sec * kSecondNs + status.st_mtim.tv_nsec,
            .bytes = status.st_size};
}

bool is_still_at(int fd, const std::string& path) {
    struct stat ours{};
    struct stat theirs{};
    return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &theirs) == 0 &&
           FileIdentity::of(ours) == FileIdentity::of(theirs);
}

}  // namespace rta::os
