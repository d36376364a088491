// SPDX-License-Identifier: MIT
#include "os/file_replacement.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "os/file.h"

namespace rta::os {

FileReplacement::FileReplacement(int folder, UniqueFd file, std::string temporary, std::string target)
    : folder_{folder}, file_{std::move(file)}, temporary_{std::move(temporary)}, target_{std::move(target)} {}

FileReplacement::FileReplacement(FileReplacement&& other) noexcept
    : folder_{other.folder_},
      file_{std::move(other.file_)},
      temporary_{std::exchange(other.temporary_, {})},
      target_{std::move(other.target_)} {}

FileReplacement::~FileReplacement() {
    if (!temporary_.empty()) ::unlinkat(folder_, temporary_.c_str(), 0);
}

Result<FileReplacement> FileReplacement::create(const std::string& target, std::string_view suffix) {
    std::string name = target + std::string{suffix} + "XXXXXX";
    UniqueFd file{::mkostemp(name.data(), O_CLOEXEC)};
    if (!file) return fail_with_errno();
    return FileReplacement{AT_FDCWD, std::move(file), std::move(name), target};
}

Result<FileReplacement> FileReplacement::create_in(int folder, std::string name, std::string target, mode_t mode) {
    auto file = create_file(folder, name, O_WRONLY, mode);
    if (!file) return std::unexpected(file.error());
    return FileReplacement{folder, std::move(*file), std::move(name), std::move(target)};
}

Result<void> FileReplacement::take_mode_of_target() {
    struct stat status{};
    const bool exists = ::fstatat(folder_, target_.c_str(), &status, 0) == 0;
    const mode_t mode = exists ? status.st_mode & 07777U : mode_of_new_file();
    const int result = file_ ? ::fchmod(file_.get(), mode) : ::fchmodat(folder_, temporary_.c_str(), mode, 0);
    if (result != 0) return fail_with_errno();
    return {};
}

Result<void> FileReplacement::flush() {
    if (auto synced = sync(file_.get()); !synced) return synced;
    return os::close(std::move(file_));
}

Result<void> FileReplacement::rename() {
    if (::renameat(folder_, temporary_.c_str(), folder_, target_.c_str()) != 0) return fail_with_errno();
    temporary_.clear();
    return {};
}

Result<void> FileReplacement::sync_folder() const {
    if (folder_ != AT_FDCWD) return sync(folder_);
    const auto folder = open_folder(folder_of(target_));
    if (!folder) return std::unexpected(folder.error());
    return sync(folder->get());
}

std::string real_path(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> resolved{::realpath(path.c_str(), nullptr), &std::free};
    return resolved ? std::string{resolved.get()} : path;
}

}  // namespace rta::os
